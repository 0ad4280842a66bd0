"""Pictures made to fit: smaller, upright, compressed, and with nothing in them but what can be seen.

Everything given to this module may have been made to hurt. What is not a JPEG, PNG or WEBP of a sensible size, or
cannot be decoded to its end, is refused with one `PictureRefused`, wherever possible before its pixels are unpacked.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from PIL import Image, ImageCms, UnidentifiedImageError

from queuectl.errors import PictureRefused
from queuectl.jobs.picture_bytes import has_more_scans, is_bare, is_whole_png

if TYPE_CHECKING:
    from PIL.JpegImagePlugin import JpegImageFile

PNG = b"\x89PNG"
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = {"JPEG": 50_000_000, "PNG": 50_000_000, "WEBP": 25_000_000}
"""What can be unpacked within 600 MB; WEBP's decoder holds several copies."""
MAX_SCANS = 32
"""A progressive JPEG has about ten; each costs a pass over all its pixels."""
MAX_PROFILE = 2_000_000
MARGIN = 1.5
"""How much larger than needed a JPEG is decoded, so that the resampling filter has something to work with."""
GAP = 2.0
"""How much larger than needed a picture is after its pixels were averaged, for the same reason."""
PLAIN = ("L", "RGB", "CMYK")
"""Modes whose pixels the filter takes as they are."""
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Box:
    """The most that a picture may measure, in pixels."""

    width: int
    height: int

    def fitted(self, width: int, height: int) -> tuple[int, int]:
        """The largest size of the same shape within the box; never larger than it was."""
        ratio = min(self.width / width, self.height / height, 1.0)
        return max(round(width * ratio), 1), max(round(height * ratio), 1)

    def turned(self) -> Box:
        return Box(self.height, self.width)


def fit(data: bytes, box: Box, quality: int) -> bytes:
    """The picture within *box*, in its own format, upright by its EXIF, in sRGB, without metadata.

    Once is enough: given its own result it returns the same bytes, so a job that runs again never compresses twice.
    A JPEG that fits, holds nothing but pixels and is compressed at least as much as *quality* asks is returned as it
    is, and so is a WEBP that fits and holds nothing but pixels. A PNG loses nothing by being written again; it stays
    as it is if that does not make it smaller. Raises `PictureRefused`.
    """
    with _distrust():
        image = _open(data)
        kind, orientation, profile = _kind(image), _orientation(image), image.info.get("icc_profile")
        size = (box if orientation < 5 else box.turned()).fitted(*image.size)
        bare = size == image.size and is_bare(data, kind)
        finished = bare and _is_compressed(image, kind, quality)
        pixels = _decode(image, size)
    if finished:
        return data
    pixels = _in_srgb(_resized(pixels, size), profile)
    if orientation in UPRIGHT:
        pixels = pixels.transpose(UPRIGHT[orientation])
    written = _encode(pixels, kind, quality)
    return data if bare and kind == "PNG" and len(data) <= len(written) else written


def give_back() -> None:
    """Return the memory that pictures took to the system, where the C library would keep it for the next one."""
    with contextlib.suppress(OSError, AttributeError):  # not the GNU one
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def _distrust() -> Iterator[None]:
    """Whatever a decoder makes of hostile bytes, it is one error here."""
    try:
        yield
    except (PictureRefused, MemoryError):
        raise
    except UnidentifiedImageError:
        raise PictureRefused("This is not a JPEG, PNG or WEBP picture.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRefused(f"The picture has more than {max(MAX_PIXELS.values()):,} pixels.") from None
    except Exception as error:
        raise PictureRefused(f"The picture is damaged: {error}.") from error


def _open(data: bytes) -> Image.Image:
    """The picture's header, its size and frames checked; no pixel is decoded yet."""
    if data.startswith(PNG) and not is_whole_png(data):
        raise PictureRefused("The picture is damaged: its checksums do not agree.")
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    kind = _kind(image)
    if image.width * image.height > MAX_PIXELS[kind]:
        raise PictureRefused(
            f"The picture has {image.width} x {image.height} pixels; {MAX_PIXELS[kind]:,} are allowed."
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and kind != "JPEG":
        raise PictureRefused(f"The picture is animated ({frames} frames).")
    if kind == "JPEG" and has_more_scans(data, MAX_SCANS):
        raise PictureRefused(f"The picture is made of more than {MAX_SCANS} scans.")
    return image


def _kind(image: Image.Image) -> str:
    """The file's format. An MPO is what many cameras write: a JPEG followed by further ones, of which we take none."""
    return "JPEG" if image.format == "MPO" else str(image.format)


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1 to 8; 1 if nothing says so or nobody can make sense of it."""
    if image.format == "PNG":
        image.load()  # `getexif` would, in search of a block behind the pixels; what is wrong with those must be heard
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) and orientation in UPRIGHT else 1


def _is_compressed(image: Image.Image, kind: str, quality: int) -> bool:
    """Would another compression only make it worse?"""
    if kind == "JPEG":
        return image.mode in ("L", "RGB") and _coarseness(image) >= _coarseness_of(image.mode, quality)
    return kind == "WEBP"


def _coarseness(image: Image.Image) -> float:
    """How coarsely a JPEG is quantised: the mean step of its tables."""
    steps = [step for table in cast("JpegImageFile", image).quantization.values() for step in table]
    return sum(steps) / len(steps)


@lru_cache(maxsize=64)
def _coarseness_of(mode: str, quality: int) -> float:
    """What our own encoder uses for this quality."""
    written = io.BytesIO(_encode(Image.new(mode, (8, 8)), "JPEG", quality))
    return _coarseness(Image.open(written, formats=("JPEG",)))


def _decode(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The pixels, to the last one. A JPEG gives them at half, a quarter or an eighth for less when that is enough."""
    if size != image.size:
        image.draft(None, (int(size[0] * MARGIN), int(size[1] * MARGIN)))
    image.load()
    return image


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    image = _in_full_colour(image)
    if image.mode in PLAIN and image.width < 2 * GAP * size[0] and image.height < 2 * GAP * size[1]:
        return _resized_in_halves(image, size)
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=GAP)


def _resized_in_halves(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """By two threads, for the filter takes two fifths of all the time; *image* is used up by it.

    There is no seam: the filter looks beyond its box.

    Not for pictures whose pixels are averaged first (`reducing_gap`), on a grid that the box would move.
    """
    width, height = size
    middle = height // 2

    def strip(top: int, bottom: int) -> Image.Image:
        scale = image.height / height
        return image.resize(
            (width, bottom - top), Image.Resampling.BICUBIC, box=(0, top * scale, image.width, bottom * scale)
        )

    if not middle:
        return strip(0, height)
    with ThreadPoolExecutor(1) as other:
        lower = other.submit(strip, middle, height)
        halves = (strip(0, middle), lower.result())
    mode = image.mode
    image.close()  # read to the end: its memory is for the result
    whole = Image.new(mode, size)
    for half, top in zip(halves, (0, middle), strict=True):
        whole.paste(half, (0, top))
    return whole


def _in_full_colour(image: Image.Image) -> Image.Image:
    """In a mode whose pixels can be blended: no palette, no single bits, no colour that stands for transparency."""
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.point(lambda value: value / 256).convert("L")
    if image.mode == "1":
        return image.convert("L")
    if "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode == "P" else image


def _in_srgb(image: Image.Image, profile: Any) -> Image.Image:
    """In the colours that a picture without a profile is taken for.

    The profile itself is dropped: it may be larger than the picture and say whose screen it was. A profile that does
    not fit the pixels or cannot be used changes nothing.
    """
    if isinstance(profile, bytes) and len(profile) <= MAX_PROFILE:
        image = _converted(image, profile)
    return image.convert("RGB") if image.mode == "CMYK" else image


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space not in ("RGB", "CMYK") or image.mode not in (space, f"{space}A"):
            return image
        if "sRGB" in (source.profile.profile_description or ""):
            return image
        target = "RGB" if space == "CMYK" else image.mode
        found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=target)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return image if found is None else found


def _encode(image: Image.Image, kind: str, quality: int) -> bytes:
    # Not progressive: measured, it saves 5 % of the bytes and costs a quarter more time.
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": quality, "optimize": True},
        "PNG": {"optimize": True},
        "WEBP": {"quality": quality, "method": 4},
    }
    if kind == "WEBP" and image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.info = {key: value for key, value in image.info.items() if key == "transparency"}  # savers copy from it
    written = io.BytesIO()
    image.save(written, kind, **options[kind])
    return written.getvalue()
