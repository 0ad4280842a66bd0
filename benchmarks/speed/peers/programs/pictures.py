"""The same picture and thumbnail with pyvips."""

from __future__ import annotations

from pathlib import Path

import pyvips

from speed.taking import run


def make(photo: Path) -> None:
    picture = pyvips.Image.thumbnail(str(photo), 1200, height=1200, size="down").copy_memory()
    small = picture.thumbnail_image(300, height=300, size="down")
    small.jpegsave(str(photo.with_name("photo_thumb.jpg")), Q=85, keep="none", optimize_coding=True)
    picture.jpegsave(str(photo), Q=85, keep="none", optimize_coding=True)


run(make)
