"""Reading what a row holds, whoever wrote it."""

from __future__ import annotations

from queuectl.jobs.payload import BASE64, from_text

MARK = BASE64.encode()


def body(stored: str | bytes | None) -> bytes:
    """The payload's bytes as they were pushed."""
    if isinstance(stored, bytes):
        return from_text(stored.decode("utf-8", "surrogateescape")) if stored.startswith(MARK) else stored
    return b"" if stored is None else from_text(stored)


def is_id(key: str) -> bool:
    """Can this be the number of a row?"""
    return key.isascii() and key.isdigit() and len(key) < 19


def short(text: str, most: int) -> str:
    """The first line, capped."""
    return text.split("\n", 1)[0][:most]
