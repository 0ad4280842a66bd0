"""A disk is a folder, and nothing leads out of it."""

from __future__ import annotations

import ctypes
import os
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from queuectl.disks import Disks, LocalDisk, components
from queuectl.errors import ConfigurationError, PathRefused

SECRET = b"not for anybody"
HOSTILE = [
    "",
    "/etc/passwd",
    "../outside/secret.jpg",
    "../../../../etc/passwd",
    "a/../../outside/secret.jpg",
    "a/..",
    "..",
    ".",
    "./photo.jpg",
    "a//photo.jpg",
    "photo.jpg/",
    ".env",
    "a/.git/config",
    "photo.jpg\0.png",
    "a\nb.jpg",
    "\x1b[2Jphoto.jpg",
    "\udcff.jpg",
    "file:///etc/passwd",
    "http://127.0.0.1/a.jpg",
    "C:\\Windows\\win.ini",
    "c:photo.jpg",
    "\\\\server\\share\\a.jpg",
    "//server/share/a.jpg",
    "..\\outside\\secret.jpg",
    "/dev/zero",
    "/proc/self/environ",
    "x" * 256 + ".jpg",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jpg").write_bytes(SECRET)
    return folder


@pytest.fixture
def disk(root: Path) -> LocalDisk:
    return LocalDisk(root)


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class TestReadingAndWriting:
    def test_what_was_written_is_read(self, disk: LocalDisk) -> None:
        """Bytes come back as they were, from folders made on the way."""
        disk.write("attendance/2026/équipe 1.jpg", b"\xff\0bytes")
        assert disk.read("attendance/2026/équipe 1.jpg") == b"\xff\0bytes"

    def test_a_new_file_can_be_read_by_the_web_server(self, disk: LocalDisk, root: Path) -> None:
        """0644 whatever the umask, or what is configured."""
        former = os.umask(0o077)
        try:
            disk.write("a.jpg", b"")
            LocalDisk(root, mode=0o640).write("b.jpg", b"")
        finally:
            os.umask(former)
        assert stat.S_IMODE((root / "a.jpg").stat().st_mode) == 0o644
        assert stat.S_IMODE((root / "b.jpg").stat().st_mode) == 0o640

    def test_a_replaced_file_keeps_its_permissions(self, disk: LocalDisk, root: Path) -> None:
        """Mode and owner belong to whoever set them; special bits do not survive."""
        (root / "a.jpg").write_bytes(b"old")
        (root / "a.jpg").chmod(0o4660)
        if os.geteuid() == 0:
            os.chown(root / "a.jpg", 1234, 1234)
        disk.write("a.jpg", b"new")
        status = (root / "a.jpg").stat()
        assert stat.S_IMODE(status.st_mode) == 0o660
        assert status.st_uid == (1234 if os.geteuid() == 0 else os.geteuid())

    def test_a_missing_file_is_not_refused_but_missing(self, disk: LocalDisk) -> None:
        """It may come: a later attempt can find it. The error names the path inside the disk only."""
        with pytest.raises(FileNotFoundError, match=r"'later\.jpg'"):
            disk.read("later.jpg")
        with pytest.raises(FileNotFoundError):
            disk.read("no/such/folder.jpg")

    def test_a_write_that_fails_leaves_the_old_file_and_no_other(
        self, disk: LocalDisk, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A full disk costs the new bytes, never the old ones."""
        (root / "a.jpg").write_bytes(b"old")

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            disk.write("a.jpg", b"new")
        assert everything_in(root) == {str(root / "a.jpg"): b"old"}

    @pytest.mark.fault("X4")
    def test_readers_never_see_half_a_file(self, disk: LocalDisk, root: Path) -> None:
        """While a file is replaced again and again, each look finds one version whole."""
        versions = [bytes([number]) * 200_000 for number in (1, 2)]
        disk.write("a.bin", versions[0])
        stop = threading.Event()

        def replace() -> None:
            while not stop.is_set():
                for version in versions:
                    disk.write("a.bin", version)

        writer = threading.Thread(target=replace)
        writer.start()
        try:
            assert all(disk.read("a.bin") in versions for _ in range(100))
        finally:
            stop.set()
            writer.join()

    @pytest.mark.fault("X4")
    def test_a_file_that_is_too_large_is_refused(self, root: Path) -> None:
        """Before it is read, and, should it grow meanwhile, after the first byte too many."""
        (root / "a.bin").write_bytes(b"12345")
        assert LocalDisk(root, max_bytes=5).read("a.bin") == b"12345"
        with pytest.raises(PathRefused, match="larger than the disk allows"):
            LocalDisk(root, max_bytes=4).read("a.bin")

    def test_no_descriptor_is_left_open(self, disk: LocalDisk, root: Path) -> None:
        """Success, absence and refusal all close what they opened."""
        (root / "folder").mkdir()
        before = open_descriptors()
        for path in ("a/b/c.bin", "missing/x", "folder", "../x"):
            for act in (disk.read, lambda path: disk.write(path, b"x")):
                try:
                    act(path)
                except (OSError, PathRefused):
                    continue
        assert open_descriptors() == before


class TestHostilePaths:
    @pytest.mark.fault("X4")
    @pytest.mark.parametrize("path", HOSTILE)
    def test_only_plain_names_are_paths(self, disk: LocalDisk, tmp_path: Path, path: str) -> None:
        """Everything else is refused, for reading and for writing, and touches nothing."""
        before = everything_in(tmp_path)
        with pytest.raises(PathRefused):
            disk.read(path)
        with pytest.raises(PathRefused):
            disk.write(path, b"planted")
        assert everything_in(tmp_path) == before

    def test_a_refusal_can_be_shown(self) -> None:
        """It says what is wrong, with the path escaped and capped."""
        with pytest.raises(PathRefused) as refused:
            components("\x1b]52;c;" + "x" * 5000)
        assert "\x1b" not in str(refused.value)
        assert len(str(refused.value)) < 300
        assert "control characters" in str(refused.value)

    @pytest.mark.parametrize("path", ["%2e%2e%2foutside%2fsecret.jpg", "…/secret.jpg", "outside\u2215secret.jpg"])
    def test_lookalikes_are_only_names(self, disk: LocalDisk, path: str) -> None:
        """Nothing is decoded or normalised, so these are files that happen not to exist."""
        with pytest.raises(FileNotFoundError):
            disk.read(path)

    @pytest.mark.fault("X4")
    def test_links_are_not_followed(self, disk: LocalDisk, root: Path, tmp_path: Path) -> None:
        """Neither one that is the file nor one that is a folder on the way; not even to the inside."""
        (root / "real.jpg").write_bytes(b"x")
        (root / "file.jpg").symlink_to(tmp_path / "outside" / "secret.jpg")
        (root / "inside.jpg").symlink_to("real.jpg")
        (root / "dangling.jpg").symlink_to(tmp_path / "outside" / "new.jpg")
        (root / "folder").symlink_to(tmp_path / "outside")
        for path in ("file.jpg", "inside.jpg", "dangling.jpg", "folder/secret.jpg", "folder/new.jpg"):
            with pytest.raises(PathRefused):
                disk.read(path)
            with pytest.raises(PathRefused):
                disk.write(path, b"planted")
        assert everything_in(tmp_path / "outside") == {str(tmp_path / "outside" / "secret.jpg"): SECRET}

    def test_the_root_itself_may_be_a_link(self, root: Path, tmp_path: Path) -> None:
        """That is the operator's doing: deployments link their storage."""
        (tmp_path / "link").symlink_to(root)
        LocalDisk(tmp_path / "link").write("a.bin", b"x")
        assert (root / "a.bin").read_bytes() == b"x"

    @pytest.mark.fault("X4")
    @pytest.mark.parametrize("kind", ["fifo", "socket", "folder"])
    def test_only_regular_files_are_files(self, disk: LocalDisk, root: Path, kind: str, short_folder: Path) -> None:
        """A FIFO without a writer does not make anybody wait, a socket and a folder are no files."""
        make: dict[str, Callable[[], object]] = {
            "fifo": lambda: os.mkfifo(root / "it"),
            "socket": lambda: _socket_at(short_folder, root / "it"),
            "folder": lambda: (root / "it").mkdir(),
        }
        make[kind]()
        with pytest.raises(PathRefused):
            disk.read("it")
        with pytest.raises(PathRefused):
            disk.write("it", b"x")

    def test_a_file_is_no_folder(self, disk: LocalDisk, root: Path) -> None:
        """A path through a file is refused."""
        (root / "a.jpg").write_bytes(b"x")
        with pytest.raises(PathRefused):
            disk.read("a.jpg/b.jpg")

    @pytest.mark.fault("X4")
    def test_links_swapped_in_at_the_wrong_moment_lead_nowhere(self, root: Path, tmp_path: Path) -> None:
        """While a folder and a file turn into links and back all the time, the outside is never read nor written."""
        outside, disk = tmp_path / "outside", LocalDisk(root)
        (root / "a").mkdir()
        disk.write("a/secret.jpg", b"mine")
        stop = threading.Event()
        swapper = threading.Thread(target=_swap, args=(root, outside, stop))
        swapper.start()
        found: set[bytes] = set()
        refused = tries = 0
        try:
            while tries < 500 or (not refused and tries < 100_000):
                tries += 1
                for act in (lambda: found.add(disk.read("a/secret.jpg")), lambda: disk.write("a/secret.jpg", b"mine")):
                    try:
                        act()
                    except PathRefused:
                        refused += 1
        finally:
            stop.set()
            swapper.join()
        assert refused
        assert found == {b"mine"}
        assert everything_in(outside) == {str(outside / "secret.jpg"): SECRET}


class TestConfiguration:
    def test_relative_roots_start_at_the_configuration(self, tmp_path: Path) -> None:
        """`root = "storage"` is a folder beside `conf/`."""
        (tmp_path / "storage").mkdir()
        Disks({"public": {"root": "storage"}}, root=tmp_path)["public"].write("a", b"x")
        assert (tmp_path / "storage" / "a").read_bytes() == b"x"

    def test_an_unknown_disk_is_told_with_the_known_ones(self, tmp_path: Path) -> None:
        """With a suggestion, and what to add."""
        disks = Disks({"public": {"root": "a"}, "private": {"root": "b"}}, root=tmp_path)
        with pytest.raises(ConfigurationError, match=r"no disk 'publik'. Did you mean 'public'\?") as error:
            disks["publik"]
        assert "[disks.NAME]" in (error.value.hint or "")

    @pytest.mark.parametrize(
        ("table", "says"),
        [
            ({"root": "a", "rot": "b"}, "Did you mean 'root'?"),
            ({}, "needs a `root`"),
            ({"root": ""}, "root must be"),
            ({"root": "a", "mode": "0644"}, "mode must be file permissions"),
            ({"root": "a", "max_bytes": True}, "max_bytes must be"),
        ],
    )
    def test_a_wrong_table_is_told(self, tmp_path: Path, table: dict[str, object], says: str) -> None:
        """The complaint names the disk, the key and what was expected."""
        with pytest.raises(ConfigurationError) as error:
            Disks({"public": table}, root=tmp_path)
        assert says in str(error.value)
        assert "[disks.public]" in str(error.value)

    def test_a_missing_root_is_a_matter_of_configuration(self, tmp_path: Path) -> None:
        """Not of the file that was asked for."""
        with pytest.raises(ConfigurationError, match="folder is not there"):
            LocalDisk(tmp_path / "nowhere").read("a.jpg")


@pytest.fixture
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A socket's address has room for about a hundred characters."""
    return tmp_path_factory.getbasetemp()


def _socket_at(short: Path, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short / "s"))
    (short / "s").rename(path)


def _swap(root: Path, outside: Path, stop: threading.Event) -> None:
    """Let root/a, and the file in it, change places with links to the outside, each in one step and over and over."""
    folder, file = root / "folder-link", root / "file-link"
    folder.symlink_to(outside)
    while not stop.is_set():
        if not file.is_symlink():  # a write has replaced the link itself, as it may
            file.unlink(missing_ok=True)
            file.symlink_to(outside / "secret.jpg")
        for one, other in ((root / "a", folder), (root / "a" / "secret.jpg", file)):
            for _ in range(2):
                _exchange(one, other)


def _exchange(one: Path, other: Path) -> None:
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if ctypes.CDLL(None, use_errno=True).renameat2(here, bytes(one), here, bytes(other), exchange):
        raise OSError(ctypes.get_errno(), "renameat2")
