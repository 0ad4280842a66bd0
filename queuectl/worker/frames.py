"""What parent and child say to each other over their socket: length-prefixed frames, a head and a raw body.

The payload travels as the raw body, so that neither side encodes it once more. A head that would say nothing is left
out: the report of a job that simply finished is a kind and a key.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Generator, Iterator, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

CHUNK = 32_768
"""Bytes read at once; a larger buffer would be mapped and unmapped by the allocator each time."""
_HEADER = struct.Struct("!BqII")
_write_json = json.JSONEncoder(separators=(",", ":")).encode


class Kind(IntEnum):
    """The first four go from child to parent, the rest from parent to child."""

    HELLO = 1  # ready; carries the declarations of its jobs
    BROKEN = 2  # the application cannot be imported
    REPORT = 3  # how a run ended
    HOOKED = 4  # a `failed` hook has been called
    RUN = 5
    FAILED = 6  # call the job's `failed` hook
    CANCEL = 7  # cancel a coroutine


_KINDS = {kind.value: kind for kind in Kind}


class Frame(NamedTuple):
    """One message."""

    kind: Kind
    key: int = 0
    """What it is about: the number of a run, or of a hook's call."""
    head: bytes = b""
    """What else there is to say, as `messages` writes it; often nothing."""
    body: bytes = b""

    @property
    def facts(self) -> dict[str, Any]:
        """What a head of JSON says."""
        found: dict[str, Any] = json.loads(self.head) if self.head else {}
        return found


def to_head(facts: Mapping[str, Any]) -> bytes:
    return _write_json(facts).encode()


def pack(kind: Kind, key: int = 0, head: bytes = b"", body: bytes = b"") -> bytes:
    return _HEADER.pack(kind, key, len(head), len(body)) + head + body


class FrameReader:
    """Collects bytes as they arrive and gives out whole frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that *data* completes. Raises `ValueError` for bytes that are no frame."""
        if not self._rest:  # almost always: what arrives begins with a frame
            done = yield from _frames(data)
            self._rest += data[done:]
            return
        self._rest += data
        done = yield from _frames(self._rest)
        del self._rest[:done]


def _frames(data: bytes | bytearray) -> Generator[Frame, None, int]:
    """Every whole frame; returns where the rest begins."""
    at, end = 0, len(data)
    while end - at >= _HEADER.size:
        number, key, head_length, body_length = _HEADER.unpack_from(data, at)
        kind = _KINDS.get(number)
        if kind is None:  # before its lengths are believed: nonsense would be waited for for ever
            raise ValueError(f"{number} is no kind of frame")
        head = at + _HEADER.size
        body = head + head_length
        after = body + body_length
        if after > end:
            break
        yield Frame(kind, key, bytes(data[head:body]), bytes(data[body:after]))
        at = after
    return at
