"""`ProcessImageJob`, run as a worker runs it: on real files, good and bad."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from queuectl.app import App
from queuectl.disks import LocalDisk
from queuectl.jobs.outcome import Ending
from queuectl.jobs.process_image import ProcessImageJob, thumbnail_path

from .conftest import Run
from .pictures import encoded, landscape, opened, phone_photo

OPTIONS = {"disk": "public", "width": 200, "height": 200, "quality": 85, "thumbnail": {"width": 50, "height": 50}}


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that says it is so large, whatever it holds."""
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 400))
    return b"\x89PNG\r\n\x1a\n" + png_header(width, height) + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def png_header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def with_a_flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def jpeg_that_claims(width: int, height: int) -> bytes:
    data = bytearray(encoded(landscape(80, 60), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_that_claims(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    data[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(data)


def jpeg_of_many_scans() -> bytes:
    data = encoded(Image.new("L", (64, 64)), "JPEG", progressive=True)
    last, end = data.rindex(b"\xff\xc4"), data.rindex(b"\xff\xd9")
    return data[:end] + data[last:end] * 200 + data[end:]


def film(kind: str) -> bytes:
    frames = [Image.new("RGB", (16, 16), (shade, 0, 0)) for shade in range(100)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


TEXT = b"k\0\0"
BAD: dict[str, Callable[[], bytes]] = {
    "no bytes": lambda: b"",
    "not a picture": lambda: b"<?php system($_GET['c']); ?>",
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(%pipe%id) (r) file\n",
    "gif": lambda: film("GIF"),
    "tiff": lambda: encoded(landscape(80, 60), "TIFF"),
    "animated webp": lambda: film("WEBP"),
    "animated png": lambda: film("PNG"),
    "half a jpeg": lambda: phone_photo(400, 300)[:9000],
    "jpeg without its end": lambda: encoded(landscape(400, 300), "JPEG")[:-2],
    "jpeg of 300 bytes": lambda: phone_photo(400, 300)[:300],
    "half a png": lambda: encoded(landscape(400, 300), "PNG")[:20_000],
    "half a webp": lambda: encoded(landscape(400, 300), "WEBP")[:4000],
    "png of 2.5 billion pixels": lambda: png(50_000, 50_000),
    "png of 144 million pixels": lambda: png(12_000, 12_000),
    "jpeg of 3.6 billion pixels": lambda: jpeg_that_claims(60_000, 60_000),
    "webp of 268 million pixels": lambda: webp_that_claims(16_383, 16_383),
    "png with a text of 200 MB": lambda: png(10, 10, chunk(b"zTXt", TEXT + zlib.compress(bytes(200_000_000), 1))),
    "png with 100 texts of 900 kB": lambda: png(
        10, 10, *[chunk(b"zTXt", TEXT + zlib.compress(b"a" * 900_000, 1))] * 100
    ),
    "png with a profile of 200 MB": lambda: png(10, 10, chunk(b"iCCP", TEXT + zlib.compress(bytes(200_000_000), 1))),
    "png with a bit flipped": lambda: with_a_flip(encoded(landscape(80, 60), "PNG")),
    "png whose pixels are nonsense": lambda: (
        b"\x89PNG\r\n\x1a\n" + png_header(80, 60) + chunk(b"IDAT", b"nonsense") + chunk(b"IEND", b"")
    ),
    "png whose pixels end early": lambda: png(80, 60),
    "png without pixels": lambda: b"\x89PNG\r\n\x1a\n" + png_header(80, 60) + chunk(b"IEND", b""),
    "png in a million pieces": lambda: png(10, 10, chunk(b"gAMA", b"\0\0\0\1") * 1_000_000),
    "jpeg of 200 scans": jpeg_of_many_scans,
}
HOSTILE_PATHS = [
    "../secret.jpg",
    "/etc/passwd.jpg",
    "a/../../secret.jpg",
    "file:///etc/passwd.jpg",
    "\\\\server\\share\\a.jpg",
    "photo.jpg\0.png",
    ".hidden.jpg",
    "photo.php",
    "photo",
    "",
    "x" * 248 + ".jpg",
]


class TestAPhoto:
    def test_the_call_as_the_documentation_has_it(self, app: App, public: Path) -> None:
        """The picture fits its box, upright; the thumbnail is beside it."""
        (public / "photo.jpg").write_bytes(phone_photo(1600, 1200))
        ProcessImageJob.dispatch(
            "photo.jpg",
            {"disk": "public", "width": 800, "height": 800, "quality": 85, "thumbnail": {"width": 300, "height": 300}},
        )
        assert sorted(path.name for path in public.iterdir()) == ["photo.jpg", "photo_thumb.jpg"]
        assert opened((public / "photo.jpg").read_bytes()).size == (600, 800)
        assert opened((public / "photo_thumb.jpg").read_bytes()).size == (225, 300)

    def test_every_option_has_a_default(self, app: App, public: Path) -> None:
        """1200 x 1200 on the disk `public`, with a thumbnail of 300 x 300."""
        (public / "a").mkdir()
        (public / "a" / "photo.PNG").write_bytes(encoded(landscape(1500, 1000).quantize(8), "PNG"))
        ProcessImageJob.dispatch("a/photo.PNG")
        assert opened((public / "a" / "photo.PNG").read_bytes()).size == (1200, 800)
        assert opened((public / "a" / "photo_thumb.PNG").read_bytes()).size == (300, 200)

    def test_a_thumbnail_can_be_left_out(self, app: App, public: Path) -> None:
        """`"thumbnail": None`."""
        (public / "photo.webp").write_bytes(encoded(landscape(400, 300), "WEBP"))
        ProcessImageJob.dispatch("photo.webp", {"width": 100, "height": 100, "thumbnail": None})
        assert [path.name for path in public.iterdir()] == ["photo.webp"]

    def test_a_second_run_changes_nothing(self, run: Run, public: Path) -> None:
        """Both files keep every byte, and the picture is not even written."""
        (public / "photo.jpg").write_bytes(phone_photo(800, 600))
        assert run("ProcessImageJob", path="photo.jpg", options=OPTIONS).ending is Ending.FINISHED
        before, written = _files(public), (public / "photo.jpg").stat().st_mtime_ns
        assert run("ProcessImageJob", path="photo.jpg", options=OPTIONS, attempts=2).ending is Ending.FINISHED
        assert _files(public) == before
        assert (public / "photo.jpg").stat().st_mtime_ns == written

    @pytest.mark.parametrize("written", [1, 2])
    def test_an_attempt_that_was_cut_short_is_completed(
        self, run: Run, public: Path, monkeypatch: pytest.MonkeyPatch, written: int
    ) -> None:
        """Wherever a full disk (or a kill) stops it, the next attempt ends with the same two files."""
        photo = phone_photo(800, 600)
        for name in ("whole.jpg", "photo.jpg"):
            (public / name).write_bytes(photo)
        run("ProcessImageJob", path="whole.jpg", options=OPTIONS)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", _failing_from(written))
            report = run("ProcessImageJob", path="photo.jpg", options=OPTIONS)
            assert report.ending is Ending.RAISED  # a full disk may have room again: worth another attempt
        assert run("ProcessImageJob", path="photo.jpg", options=OPTIONS, attempts=2).ending is Ending.FINISHED
        files = _files(public)
        assert files["photo.jpg"] == files["whole.jpg"]
        assert files["photo_thumb.jpg"] == files["whole_thumb.jpg"]
        assert len(files) == 4

    def test_a_picture_that_is_not_there_yet_is_tried_again(self, run: Run) -> None:
        """An upload may land after its job was dispatched."""
        report = run("ProcessImageJob", path="later.jpg", options=OPTIONS)
        assert report.ending is Ending.RAISED
        assert report.problem
        assert report.problem.type.endswith("FileNotFoundError")


class TestWhatCannotBeWorkedOn:
    @pytest.mark.fault("X5")
    @pytest.mark.parametrize("kind", BAD)
    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    def test_a_bad_file_fails_at_once(self, run: Run, public: Path, kind: str) -> None:
        """One clear failure that no second attempt could change; the file stays, and the next job runs."""
        bad = BAD[kind]()
        (public / "bad.jpg").write_bytes(bad)
        (public / "good.jpg").write_bytes(encoded(landscape(400, 300), "JPEG"))
        report = run("ProcessImageJob", path="bad.jpg", options=OPTIONS)
        assert report.ending is Ending.FAILED
        assert report.problem
        assert report.problem.type == "queuectl.errors.PictureRefused"
        assert report.problem.message.startswith("'bad.jpg': ")
        assert len(report.problem.message) < 200
        assert _files(public)["bad.jpg"] == bad
        assert "bad_thumb.jpg" not in _files(public)
        assert run("ProcessImageJob", path="good.jpg", options=OPTIONS).ending is Ending.FINISHED

    @pytest.mark.fault("X5")
    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    @pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured through /proc")
    def test_bombs_do_not_fill_the_memory(self, run: Run, public: Path) -> None:
        """Refused by their headers, they cost next to nothing."""
        bombs = [make() for kind, make in BAD.items() if "pixels" in kind or "MB" in kind]
        Path("/proc/self/clear_refs").write_text("5")  # measure the peak from here on
        before = _memory("VmRSS")
        for bomb in bombs:
            (public / "bad.png").write_bytes(bomb)
            assert run("ProcessImageJob", path="bad.png", options=OPTIONS).ending is Ending.FAILED
        assert _memory("VmHWM") - before < 100_000

    @pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured through /proc")
    def test_the_largest_picture_allowed_fits_into_a_worker(self, run: Run, public: Path) -> None:
        """49 million pixels with transparency, from a file of a few hundred kilobytes."""
        (public / "huge.png").write_bytes(encoded(Image.new("P", (7000, 7000)), "PNG", transparency=0))
        Path("/proc/self/clear_refs").write_text("5")
        before = _memory("VmRSS")
        assert run("ProcessImageJob", path="huge.png", options=OPTIONS).ending is Ending.FINISHED
        assert _memory("VmHWM") - before < 560_000

    @pytest.mark.fault("X4")
    @pytest.mark.parametrize("path", HOSTILE_PATHS)
    def test_a_hostile_path_fails_at_once(self, run: Run, public: Path, tmp_path: Path, path: str) -> None:
        """Nothing is read or written anywhere, and the failure says why."""
        (tmp_path / "secret.jpg").write_bytes(encoded(landscape(400, 300), "JPEG"))
        if len(path) == 252:  # a name as long as a file system takes, so that its thumbnail's is too long
            (public / path).write_bytes(encoded(landscape(400, 300), "JPEG"))
        before = _files(tmp_path)
        report = run("ProcessImageJob", path=path, options=OPTIONS)
        assert report.ending is Ending.FAILED
        assert report.problem
        assert report.problem.type == "queuectl.errors.PathRefused"
        assert _files(tmp_path) == before

    @pytest.mark.fault("X4")
    @pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
    def test_what_is_not_a_file_fails_at_once(self, run: Run, public: Path, tmp_path: Path, kind: str) -> None:
        """A link to the outside, a FIFO that nobody feeds, a folder with a picture's name."""
        (tmp_path / "secret.jpg").write_bytes(encoded(landscape(400, 300), "JPEG"))
        bad = public / "bad.jpg"
        {"link": lambda: bad.symlink_to(tmp_path / "secret.jpg"), "fifo": lambda: os.mkfifo(bad), "folder": bad.mkdir}[
            kind
        ]()
        before = (tmp_path / "secret.jpg").read_bytes()
        assert run("ProcessImageJob", path="bad.jpg", options=OPTIONS).ending is Ending.FAILED
        assert (tmp_path / "secret.jpg").read_bytes() == before

    @pytest.mark.fault("X4")
    def test_a_thumbnail_never_follows_a_link(self, run: Run, public: Path, tmp_path: Path) -> None:
        """One planted where the thumbnail goes is refused, and the picture is left as it was."""
        (tmp_path / "victim.jpg").write_bytes(b"mine")
        (public / "photo.jpg").write_bytes(phone_photo(400, 300))
        (public / "photo_thumb.jpg").symlink_to(tmp_path / "victim.jpg")
        before = (public / "photo.jpg").read_bytes()
        assert run("ProcessImageJob", path="photo.jpg", options=OPTIONS).ending is Ending.FAILED
        assert (tmp_path / "victim.jpg").read_bytes() == b"mine"
        assert (public / "photo.jpg").read_bytes() == before

    def test_an_unknown_disk_fails_at_once(self, run: Run) -> None:
        """With the disks there are."""
        report = run("ProcessImageJob", path="photo.jpg", options={**OPTIONS, "disk": "s3"})
        assert report.ending is Ending.FAILED
        assert report.problem
        assert "Configured: public" in report.problem.message

    @pytest.mark.parametrize(
        "wrong",
        [{"width": 0}, {"width": 100_000}, {"quality": 96}, {"thumbnail": {"width": 3}}, {"widht": 3}, {"height": "x"}],
    )
    def test_wrong_options_are_refused_before_anything_is_read(self, run: Run, wrong: dict[str, object]) -> None:
        """At dispatch already; here, as another program may have written them."""
        assert run("ProcessImageJob", path="photo.jpg", options={**OPTIONS, **wrong}).ending is Ending.REFUSED

    @pytest.mark.fault("X5")
    def test_a_file_larger_than_the_disk_allows_is_not_read(self, public: Path) -> None:
        """A limit of the disk's, far above any photo."""
        with (public / "big.jpg").open("wb") as file:
            file.truncate(LocalDisk(public).max_bytes + 1)
        assert LocalDisk(public).max_bytes == 64 * 1024 * 1024


def test_the_thumbnail_is_named_after_its_picture() -> None:
    """`_thumb` before the extension, in the same folder; dots elsewhere are part of the name."""
    assert thumbnail_path("a/b.c/photo.of.me.jpeg") == "a/b.c/photo.of.me_thumb.jpeg"


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _memory(what: str) -> int:
    """In kilobytes: `VmRSS` now, `VmHWM` at its peak."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0])


def _failing_from(number: int) -> Callable[..., None]:
    """`os.replace` that runs out of room at its n-th call."""
    replace, calls = os.replace, iter(range(1, 100))

    def failing(*args: object, **options: object) -> None:
        if next(calls) >= number:
            raise OSError(28, "No space left on device")
        replace(*args, **options)  # type: ignore[arg-type]  # passed through

    return failing
