"""Text for people: nothing that came from a store may steer a terminal, and everything has a width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from queuectl.escaping import safe as safe  # what commands show passes through here
from queuectl.escaping import typed as typed


def width(text: str) -> int:
    """Terminal cells: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shortened(text: str, cells: int) -> str:
    """*text* in at most this many cells, with an ellipsis where something was cut."""
    if width(text) <= cells:
        return text
    kept, used = [], 1
    for character in text:
        used += _cells(character)
        if used > cells:
            break
        kept.append(character)
    return "".join(kept) + "…"


def padded(text: str, cells: int) -> str:
    return text + " " * max(0, cells - width(text))


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows as lines of aligned columns, two spaces apart; the last one is not padded."""
    kept = [tuple(safe(cell) for cell in row) for row in rows]
    if not kept:
        return []
    widths = [max(width(row[index]) for row in kept) for index in range(len(kept[0]))]
    return ["  ".join(padded(cell, cells) for cell, cells in zip(row, widths, strict=True)).rstrip() for row in kept]


def plural(count: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def leader(left: str, right: str, cells: int, *, indent: str = "  ", most: int = 150) -> str:
    """Two columns joined by dots over the width of the terminal, as artisan draws them."""
    room = min(cells, most) - len(indent) - width(left) - width(visible(right)) - 2
    return f"{indent}{left} {'.' * max(room, 1)} {right}"


_SGR = re.compile(r"\x1b\[[0-9;]*m")


def visible(text: str) -> str:
    """*text* without our own colours."""
    return _SGR.sub("", text)
