"""Pictures for tests, made here: a landscape that compresses like a photograph, with what cameras write into a file."""

from __future__ import annotations

import io
import math
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter

ORIENTATION, MAKE, MODEL, GPS = 0x0112, 0x010F, 0x0110, 0x8825
LAYERS = [(0.40, (150, 160, 185)), (0.50, (105, 120, 150)), (0.62, (60, 82, 92)), (0.78, (28, 44, 40))]


def landscape(width: int = 1600, height: int = 1200, *, seed: int = 7) -> Image.Image:
    """Mountains behind mountains in the evening, with grain; the same mountains for the same seed."""
    dice = random.Random(seed)
    picture = _sky(width, height)
    for level, colour in LAYERS:
        ridge = _ridge(dice, width, height, level)
        mask = Image.new("L", (width, height))
        ImageDraw.Draw(mask).polygon([(0, height), *enumerate(ridge), (width, height)], fill=255)
        picture.paste(_slope(width, height, colour), mask=mask.filter(ImageFilter.GaussianBlur(width / 1200)))
    return _grainy(picture)


def phone_photo(width: int = 1600, height: int = 1200, *, orientation: int = 6, quality: int = 88) -> bytes:
    """A JPEG as a phone held upright writes it: lying on its side, with orientation, camera, and where it was taken."""
    upright = landscape(height, width) if orientation >= 5 else landscape(width, height)
    turns = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turn = turns[orientation]
    lying = upright if turn is None else upright.transpose(turn)
    return encoded(lying, "JPEG", quality=quality, exif=camera_exif(orientation))


def camera_exif(orientation: int = 1) -> Image.Exif:
    """EXIF with an orientation and the place it was taken at."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE], exif[MODEL] = orientation, "Example", "Phone 1"
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)})
    return exif


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def _sky(width: int, height: int) -> Image.Image:
    fall = Image.linear_gradient("L").resize((width, height), Image.Resampling.BICUBIC)
    bands = [fall.point([low + (high - low) * v // 255 for v in range(256)]) for low, high in _SKY]
    sky = Image.merge("RGB", bands)
    sun = Image.new("RGB", sky.size)
    centre, radius = (int(width * 0.68), int(height * 0.3)), height // 18
    ImageDraw.Draw(sun).circle(centre, radius, fill=(255, 225, 170))
    glow = sun.filter(ImageFilter.GaussianBlur(radius * 1.6))
    return ImageChops.screen(ImageChops.screen(sky, glow), sun.filter(ImageFilter.GaussianBlur(radius / 8)))


_SKY = [(70, 255), (105, 190), (165, 150)]


def _ridge(dice: random.Random, width: int, height: int, level: float) -> list[int]:
    """A mountain line: waves of halving height and doubling pace."""
    waves = [(0.09 / 1.9**n, 2**n * dice.uniform(0.8, 1.2), dice.uniform(0, math.tau)) for n in range(9)]
    return [
        int(height * (level + sum(h * math.sin(math.tau * pace * x / width + phase) for h, pace, phase in waves)))
        for x in range(width)
    ]


def _slope(width: int, height: int, colour: tuple[int, int, int]) -> Image.Image:
    """A hillside: its colour, patchy, and hazier towards the valley."""
    patches = Image.effect_noise((width // 24, height // 24), 20).resize((width, height), Image.Resampling.BICUBIC)
    haze = Image.linear_gradient("L").resize((width, height)).point([v // 4 for v in range(256)])
    lit = ImageChops.add(patches, haze, offset=-20)
    return ImageChops.add(Image.new("RGB", (width, height), colour), Image.merge("RGB", [lit] * 3), 1.5, -70)


def _grainy(picture: Image.Image) -> Image.Image:
    grain = Image.effect_noise(picture.size, 3)
    return ImageChops.add(picture, Image.merge("RGB", [grain] * 3), offset=-128)


if __name__ == "__main__":  # the picture of the quick start
    target = Path(__file__).parents[3] / "examples" / "quickstart" / "photo.jpg"
    target.write_bytes(phone_photo(1600, 1200, quality=78))
    print(f"{target}: {target.stat().st_size} bytes")
