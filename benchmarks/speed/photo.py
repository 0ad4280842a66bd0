"""A photo as a camera makes it, and how much a small picture is like it."""

from __future__ import annotations

import io
import math
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter, ImageStat

PHOTO = Path(__file__).parents[2] / "examples/quickstart/photo.jpg"
QUALITY = 85


def camera_photo(size: tuple[int, int]) -> bytes:
    """The example's photo, enlarged, with a sensor's noise."""
    with Image.open(PHOTO) as photo:
        large = photo.convert("RGB").resize(size)
    grain = Image.effect_noise(size, 32).convert("RGB")
    file = io.BytesIO()
    Image.blend(large, grain, 0.1).filter(ImageFilter.GaussianBlur(0.7)).save(file, "JPEG", quality=90)
    return file.getvalue()


def likeness(original: Path, small: Path) -> float:
    """Decibels (PSNR) between a small picture and a full LANCZOS of its original, compressed the same way."""
    with Image.open(small) as image:
        found = image.convert("RGB")
    with Image.open(original) as image:
        ideal = image.convert("RGB").resize(found.size, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    ideal.save(file, "JPEG", quality=QUALITY, optimize=True)
    with Image.open(file) as image:
        difference = ImageChops.difference(found, image.convert("RGB"))
    square = sum(ImageStat.Stat(difference).sum2) / (3 * found.width * found.height)
    return 10 * math.log10(255**2 / square) if square else 99.0
