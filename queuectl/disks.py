"""The disks that jobs read and write: folders by name, and nothing outside them.

A path is a name inside a disk, never a place on the machine. It is walked from the disk's root one component at a time,
by descriptor and without following links, so that neither a crafted name nor a link swapped in at the wrong moment
leads anywhere else.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from queuectl.config.checking import did_you_mean
from queuectl.config.schema import DISK
from queuectl.errors import ConfigurationError, PathRefused

MAX_BYTES = 64 * 1024 * 1024
FILE_MODE, FOLDER_MODE = 0o644, 0o755
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
"""How URLs and drive letters begin."""
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a FIFO must not make us wait
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
NOT_OURS = {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EISDIR, errno.ENAMETOOLONG, errno.EMLINK}
"""What the system says of links, of files taken for folders, of sockets: no later attempt will find them better."""


class Disk(Protocol):
    """A place for files. Raises `PathRefused` for what it will never touch, `OSError` for what another try may cure."""

    def read(self, path: str) -> bytes:
        """The whole file; `FileNotFoundError` if there is none."""

    def write(self, path: str, data: bytes) -> None:
        """Replace or create the file, in one step and durably; missing folders of the disk are made."""


class Disks:
    """The disks of a configuration, by name."""

    def __init__(self, settings: Mapping[str, Mapping[str, Any]], *, root: Path) -> None:
        """*settings* are the `[disks.NAME]` tables; a relative root starts at *root*, the configuration's own."""
        self._disks = {name: _disk(name, table, root) for name, table in settings.items()}

    def __getitem__(self, name: str) -> Disk:
        try:
            return self._disks[name]
        except KeyError:
            known = ", ".join(sorted(self._disks)) or "none"
            raise ConfigurationError(
                f"There is no disk {name[:100]!r}.{did_you_mean(name, self._disks)} Configured: {known}.",
                hint="Add a table [disks.NAME] with its `root` to conf/queue.toml.",
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._disks)


@dataclass(frozen=True, slots=True)
class LocalDisk:
    """A folder of this machine. The root itself may be a link; nothing below it is followed."""

    root: Path
    mode: int = FILE_MODE
    """Permissions of new files; a file that is replaced keeps its own."""
    max_bytes: int = MAX_BYTES
    """A larger file is refused."""

    def read(self, path: str) -> bytes:
        """The bytes of a regular file, at most `max_bytes`."""
        with self._folder(path, make=False) as (folder, name), _refusing(path):
            descriptor = os.open(name, FILE, dir_fd=folder)
            try:
                self._check(path, os.fstat(descriptor))
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    data = file.read(self.max_bytes + 1)  # one more than allowed: it may be growing
            finally:
                os.close(descriptor)
        if len(data) > self.max_bytes:
            raise _too_large(path, self.max_bytes)
        return data

    def write(self, path: str, data: bytes) -> None:
        """Through a hidden file beside it, which takes the name once it is whole and on the disk."""
        with self._folder(path, make=True) as (folder, name), _refusing(path):
            former = _status(name, folder)
            if former is not None:
                self._check(path, former)
            hidden = f".{os.urandom(8).hex()}.tmp"
            try:
                _write_new(hidden, folder, data, former, self.mode)
                os.replace(hidden, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(hidden, dir_fd=folder)
                raise
            os.fsync(folder)

    @contextlib.contextmanager
    def _folder(self, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
        """The descriptor of the folder that holds the file, and the file's name in it."""
        *folders, name = components(path)
        with contextlib.ExitStack() as opened:
            here = self._open_root()
            opened.callback(os.close, here)
            for folder in folders:
                with _refusing(path):
                    here = _enter(folder, here, make=make)
                opened.callback(os.close, here)
            yield here, name

    def _open_root(self) -> int:
        try:
            return os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ConfigurationError(
                f"The disk's folder is not there: {self.root}.", hint="Create it, or correct its `root` in [disks]."
            ) from error

    def _check(self, path: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise PathRefused(f"{_shown(path)} is not a regular file.")
        if status.st_size > self.max_bytes:
            raise _too_large(path, self.max_bytes)


def components(path: str) -> list[str]:
    """The names that *path* is made of, or `PathRefused` for anything but plain names with `/` between them."""
    reason = _objection(path)
    if reason:
        raise PathRefused(f"{_shown(path)} is not a path inside a disk: {reason}.")
    return path.split("/")


def _objection(path: str) -> str:
    if not path:
        return "it is empty"
    if path.startswith("/"):
        return "it is absolute"
    if SCHEME.match(path):
        return "it looks like a URL or a drive"
    if "\\" in path:
        return "it has a backslash"
    if UNPRINTABLE.search(path):
        return "it has control characters"
    return next(filter(None, map(_objection_to_name, path.split("/"))), "")


def _objection_to_name(name: str) -> str:
    if not name:
        return "it has an empty name between its slashes"
    if name.startswith("."):
        return "names that begin with a dot are hidden files or lead elsewhere"
    return "it has a name of more than 255 bytes" if len(name.encode()) > 255 else ""


@contextlib.contextmanager
def _refusing(path: str) -> Iterator[None]:
    """Tell what can never work from what may work later."""
    try:
        yield
    except OSError as error:
        if error.errno in NOT_OURS:
            raise PathRefused(
                f"{_shown(path)} leads through something that is not a plain file or folder: {error.strerror}."
            ) from error
        raise type(error)(error.errno, error.strerror, path) from error


def _enter(name: str, parent: int, *, make: bool) -> int:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, FOLDER_MODE, dir_fd=parent)
    return os.open(name, FOLDER, dir_fd=parent)


def _status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _write_new(name: str, folder: int, data: bytes, former: os.stat_result | None, mode: int) -> None:
    with os.fdopen(os.open(name, NEW_FILE, 0o600, dir_fd=folder), "wb") as file:
        file.write(data)
        file.flush()
        if former is not None:
            mode = stat.S_IMODE(former.st_mode) & 0o777
            with contextlib.suppress(PermissionError):  # only root may give a file away; then it stays ours
                os.fchown(file.fileno(), former.st_uid, former.st_gid)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def _disk(name: str, table: Mapping[str, Any], root: Path) -> LocalDisk:
    for key, value in table.items():
        if key not in DISK:
            known = ", ".join(DISK)
            raise ConfigurationError(f"[disks.{name}] has no key {key!r}.{did_you_mean(key, DISK)} Known: {known}.")
        if not DISK[key].fits(value):
            raise ConfigurationError(f"[disks.{name}] {key} must be {DISK[key].expected}, not {value!r}.")
    if "root" not in table:
        raise ConfigurationError(f"[disks.{name}] needs a `root`: the folder its files are in.")
    return LocalDisk(**{**table, "root": root / table["root"]})


def _too_large(path: str, most: int) -> PathRefused:
    return PathRefused(f"{_shown(path)} is larger than the disk allows ({most} bytes).")


def _shown(path: str) -> str:
    return repr(path if len(path) <= 120 else f"{path[:117]}...")
