"""Uploaded photos: capped, sniffed, streamed to the disk under names of our own; nobody opens them in the request."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import Depends, HTTPException, Request
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from hr.auth import SignedIn
from queuectl.jobs.process_image import thumbnail_path

MAX_BYTES = 10 * 1024 * 1024
"""Of a whole request with a photo, counted while it arrives."""
FOLDER = "attendance"
PhotoName = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{32}(_thumb)?\.(jpg|png|webp)$")]
"""Of a photo or a thumbnail; nobody else names files here."""


class Photos:
    """The photos on one of queuectl's disks."""

    def __init__(self, disk: Path) -> None:
        self._disk = disk
        (disk / FOLDER).mkdir(parents=True, exist_ok=True)

    def keep(self, upload: BinaryIO) -> str:
        """Copy an upload to the disk, durably, and return its name there; 415 if it is no picture."""
        extension = sniffed(upload.read(12))
        if extension is None:
            raise HTTPException(415, "Send a JPEG, PNG or WEBP picture.")
        upload.seek(0)
        name = f"{secrets.token_hex(16)}{extension}"
        try:
            copy(upload, self.file(name))
        except BaseException:  # the disk may be full
            self.file(name).unlink(missing_ok=True)
            raise
        return name

    def is_ready(self, name: str) -> bool:
        """Has ProcessImageJob been here?"""
        return self.file(thumbnail_path(name)).exists()

    def file(self, name: str) -> Path:
        return self._disk / path_of(name)


def copy(upload: BinaryIO, path: Path) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(upload, file)
        file.flush()
        os.fsync(file.fileno())


def path_of(name: str) -> str:
    """Where a photo is on its disk, as ProcessImageJob wants to hear it."""
    return f"{FOLDER}/{name}"


def sniffed(start: bytes) -> str | None:
    """The extension for what these first bytes belong to: what a client says about a file means nothing."""
    if start.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return ".webp"
    return None


async def received(request: Request, user: SignedIn) -> str:
    """The name under which the photo of this request was kept; whoever is not signed in uploads nothing."""
    try:
        async with request.form(max_files=1, max_fields=5) as form:
            photo = form.get("photo")
            if not isinstance(photo, UploadFile):
                raise HTTPException(422, "Send a picture as `photo`.")
            photos: Photos = request.app.state.photos
            return await run_in_threadpool(photos.keep, photo.file)
    except ClientDisconnect:
        raise HTTPException(400, "The upload ended early.") from None


ReceivedPhoto = Annotated[str, Depends(received)]
