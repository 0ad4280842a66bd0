"""The built-in job that makes an uploaded picture fit for showing."""

from __future__ import annotations

from dataclasses import field
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from queuectl.errors import ConfigurationError, PathRefused, PictureRefused
from queuectl.jobs.definition import Job
from queuectl.jobs.runtime import current

MAX_SIDE = 16_383
"""The longest side that every format of ours can have."""
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp"}
HOPELESS = (ConfigurationError, PathRefused)
"""What another attempt finds no better."""


@with_config(ConfigDict(extra="forbid"))
class Size(TypedDict):
    """A box in pixels."""

    width: Side
    height: Side


@with_config(ConfigDict(extra="forbid"))
class ImageOptions(TypedDict, total=False):
    """What may be asked of `ProcessImageJob`; every key has a default."""

    disk: str
    """Name of the disk that `path` is on: `public`."""
    width: Side
    """Of the box the picture is to fit: 1200."""
    height: Side
    """1200."""
    quality: Annotated[int, Field(ge=1, le=95)]
    """Of JPEG and WEBP: 85. Above 95 files grow and nothing else."""
    thumbnail: Size | None
    """The box of the thumbnail: 300 x 300. None: no thumbnail."""


class ProcessImageJob(Job):
    """Replace a picture on a disk by a smaller, upright one without metadata, and put a thumbnail beside it.

    JPEG, PNG and WEBP. The thumbnail of `a/name.jpg` is `a/name_thumb.jpg`. Running twice changes nothing more: the
    picture is left alone once it fits, and the thumbnail is made from it. What cannot be worked on fails at once.
    """

    path: str
    options: ImageOptions = field(default_factory=ImageOptions)

    tries = 3

    def handle(self) -> None:
        from queuectl.jobs.pictures import give_back

        try:
            self._process()
        except PictureRefused as error:
            self.fail(PictureRefused(f"{self.path!r}: {error}"))
        except HOPELESS as error:
            self.fail(error)
        finally:
            give_back()

    def _process(self) -> None:
        from queuectl.jobs.pictures import Box, fit  # its libraries are slow to import, and few children meet a picture

        thumb = thumbnail_path(self.path)
        disk = current().disks[self.options.get("disk", "public")]
        quality = self.options.get("quality", 85)
        before = disk.read(self.path)
        picture = fit(before, Box(self.options.get("width", 1200), self.options.get("height", 1200)), quality)
        size = self.options.get("thumbnail", Size(width=300, height=300))
        # From the picture as it is written, so that an attempt that finds it written makes the same thumbnail.
        small = fit(picture, Box(**size), quality) if size else None
        if small is not None:
            disk.write(thumb, small)  # first: where its name is refused, the picture is not touched either
        if picture != before:
            disk.write(self.path, picture)


def thumbnail_path(path: str) -> str:
    """Where the thumbnail of a picture goes; `PathRefused` for a name that is not a picture's."""
    place = PurePosixPath(path)
    if place.suffix.lower() not in EXTENSIONS:
        raise PathRefused(f"{path[:120]!r} is not named like a picture: {', '.join(sorted(EXTENSIONS))}.")
    return str(place.with_name(f"{place.stem}_thumb{place.suffix}"))
