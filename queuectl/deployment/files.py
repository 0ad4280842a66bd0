"""Write a file that others obey: whole or not at all, and never through a link to somewhere else."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from queuectl.errors import QueuectlError

MODE = 0o644


def write_new(path: Path, text: str, *, force: bool = False) -> None:
    """Write *text* to *path*, readable by everybody. Only with *force* does it take the place of a file.

    `QueuectlError` for anything else that is there, links above all, and where it cannot be written.
    """
    _check_place(path, force=force)
    try:
        _put(path, text, force=force)
    except FileExistsError:  # since we looked
        raise _is_there(path) from None
    except OSError as error:
        raise QueuectlError(f"{path} cannot be written: {error.strerror}.") from error


def _check_place(path: Path, *, force: bool) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # writing will tell
    if not stat.S_ISREG(mode):
        raise QueuectlError(f"{path} is {'a link' if stat.S_ISLNK(mode) else 'not a file'}; it is left alone.")
    if not force:
        raise _is_there(path)


def _is_there(path: Path) -> QueuectlError:
    return QueuectlError(f"{path} is there already.", hint="--force replaces it.")


def _put(path: Path, text: str, *, force: bool) -> None:
    descriptor, temporary = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, MODE)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        if force:
            Path(temporary).replace(path)
        else:
            path.hardlink_to(temporary)  # fails where something is, which a rename would not
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
