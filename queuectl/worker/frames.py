"""What parent and child say to each other over their socket: length-prefixed frames, a JSON head and a raw body.

The payload travels as the raw body, so that neither side encodes it once more.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

_LENGTHS = struct.Struct("!BII")


class Kind(IntEnum):
    """The first four go from child to parent, the rest from parent to child."""

    HELLO = 1  # ready; carries the declarations of its jobs
    BROKEN = 2  # the application cannot be imported
    REPORT = 3  # how a run ended
    HOOKED = 4  # a `failed` hook has been called
    RUN = 5
    FAILED = 6  # call the job's `failed` hook


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: Kind
    head: dict[str, Any]
    body: bytes = b""


def pack(frame: Frame) -> bytes:
    head = json.dumps(frame.head, separators=(",", ":")).encode()
    return _LENGTHS.pack(frame.kind, len(head), len(frame.body)) + head + frame.body


class FrameReader:
    """Collects bytes as they arrive and gives out whole frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that *data* completes. Raises `ValueError` for bytes that are no frame."""
        self._buffer += data
        while (frame := self._take()) is not None:
            yield frame

    def _take(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < _LENGTHS.size:
            return None
        number, head_length, body_length = _LENGTHS.unpack_from(buffer)
        kind = Kind(number)  # before its lengths are believed: nonsense would be waited for for ever
        middle = _LENGTHS.size + head_length
        end = middle + body_length
        if len(buffer) < end:
            return None
        frame = Frame(kind, json.loads(buffer[_LENGTHS.size : middle]), bytes(buffer[middle:end]))
        del buffer[:end]
        return frame
