"""What a picture file holds besides its pixels, read from its own structure without decoding anything."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from itertools import islice

JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""Where a segment begins. Inside a scan every FF that means itself is followed by 00, and restart marks are pixels."""
QUANTISATION, HUFFMAN, RESTART, FRAMES, SCAN, END = 0xDB, 0xC4, 0xDD, (0xC0, 0xC1, 0xC2), 0xDA, 0xD9
PIXELS = {QUANTISATION, HUFFMAN, RESTART, *FRAMES, SCAN, END}
JFIF, ADOBE = 0xE0, 0xEE
MAX_CHUNKS = 50_000
"""The usual chunk is of 8 kB or more; the largest file that a disk reads has ten thousand of those."""
PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
WEBP_CHUNKS = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH"}


def is_bare(data: bytes, kind: str) -> bool:
    """Are there pixels and nothing else: no EXIF, XMP, profile, comment, second picture, or bytes after the end?

    *kind* is `JPEG`, `PNG` or `WEBP`. False in doubt.
    """
    try:
        return {"JPEG": _bare_jpeg, "PNG": _bare_png, "WEBP": _bare_webp}[kind](data)
    except struct.error:  # cut short
        return False


def is_whole_png(data: bytes) -> bool:
    """Do all its checksums agree, in a sensible number of pieces? A decoder would show what it can of a damaged one."""
    try:
        return sum(1 for _ in islice(_chunks(data), MAX_CHUNKS + 1)) <= MAX_CHUNKS
    except struct.error:
        return False


def has_more_scans(data: bytes, most: int) -> bool:
    """Does this JPEG ask for more than *most* passes over its pixels?"""
    if data.count(bytes([0xFF, SCAN])) <= most:  # also counts what only looks like one, and costs next to nothing
        return False
    try:
        return sum(marker == SCAN for marker, _, _ in _segments(data)) > most
    except struct.error:
        return True


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The segments of a JPEG up to its end: marker, body, and the offset behind it."""
    at, marker = 2, 0
    while marker != END:
        found = JPEG_MARKER.search(data, at)
        if found is None:
            raise struct.error("no end")
        marker, at = data[found.start() + 1], found.end()
        length = 0 if marker == END else struct.unpack_from(">H", data, at)[0]
        yield marker, data[at + 2 : at + length], at + length
        at += length


def _bare_jpeg(data: bytes) -> bool:
    end = 0
    for marker, body, end in _segments(data):  # noqa: B007 - the last end is wanted
        if not (marker in PIXELS or (marker == JFIF and _is_jfif(body)) or (marker == ADOBE and _is_adobe(body))):
            return False
    return end == len(data)


def _is_jfif(body: bytes) -> bool:
    return body.startswith(b"JFIF\0") and len(body) == 14  # without a thumbnail


def _is_adobe(body: bytes) -> bool:
    return body.startswith(b"Adobe") and len(body) == 12


def _bare_png(data: bytes) -> bool:
    end = 0
    for name, end in _chunks(data):  # noqa: B007 - the last end is wanted
        if name not in PNG_CHUNKS:
            return False
    return end == len(data)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The chunks of a PNG up to its end: name, and the offset behind it. `struct.error` at a wrong checksum."""
    at, name = 8, b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        [checksum] = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != checksum:
            raise struct.error("a wrong checksum")
        at += 12 + length
        yield name, at


def _bare_webp(data: bytes) -> bool:
    at = 12
    while at < len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name not in WEBP_CHUNKS:
            return False
        at += 8 + length + length % 2
    return at == len(data)
