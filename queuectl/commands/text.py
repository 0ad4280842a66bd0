"""Text for people: nothing that came from a store may steer a terminal, and everything has a width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_STEERING = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"  # invisible, or turns the direction
    "\ud800-\udfff\U000e0000-\U000e0fff"
)
_UNSAFE = re.compile(f"[{_STEERING}]")
_UNSAFE_IN_LINES = re.compile(f"(?![\n\t])[{_STEERING}]")


def safe(text: str, *, lines: bool = False) -> str:
    """*text* with whatever a terminal might obey, hide or reorder as a visible escape such as `\\x1b`.

    *lines*: line ends and tabs stay, for text that is shown as a block.
    """
    return (_UNSAFE_IN_LINES if lines else _UNSAFE).sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _SHORT:
        return _SHORT[code]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


_SHORT = {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}


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
