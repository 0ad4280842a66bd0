"""In which line of a TOML text a key stands, so that an error can point at it.

The parser that reads the values keeps no positions. The text given here has been parsed already, so it is valid TOML
and finding the keys only takes stepping over the values between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Key = tuple[str, ...]

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_PARTS = re.compile(_PART)
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_HEADER = re.compile(rf"\[\[?[ \t]*({_KEY.pattern})[ \t]*\]\]?")
_STRING = re.compile(
    r'"{3}(?:[^\\]|\\.)*?"{3,5}' + r"|'{3}.*?'{3,5}" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
_OPEN, _CLOSE = "[{", "]}"


def line_of(text: str, key: Key) -> int | None:
    """The line of this key, or of the nearest table around it."""
    known = dict(places(text))
    while key and key not in known:
        key = key[:-1]
    return known.get(key)


def places(text: str) -> Iterator[tuple[Key, int]]:
    """Every table header and every key before a `=`, with its line, counted from 1."""
    table: Key = ()
    position = _after_gap(text, 0)
    while position < len(text):
        line = text.count("\n", 0, position) + 1
        if header := _HEADER.match(text, position):
            table = _split(header[1])
            yield table, line
            position = _after_gap(text, header.end())
            continue
        key = _KEY.match(text, position)
        if key is None:
            return
        yield table + _split(key[0]), line
        position = _after_gap(text, _after_value(text, key.end()))


def _split(dotted: str) -> Key:
    return tuple(part.strip("\"'") for part in _PARTS.findall(dotted))


def _after_gap(text: str, position: int) -> int:
    """Past blank space, line ends and comments."""
    gap = _GAP.match(text, position)
    return gap.end() if gap else position


def _after_value(text: str, position: int) -> int:
    """Past a value: to the end of its line, or of the line that closes its last bracket."""
    depth = 0
    while position < len(text):
        character = text[position]
        if string := _STRING.match(text, position):
            position = string.end()
            continue
        if character == "#":
            position = _end_of_line(text, position)
            continue
        if character == "\n" and depth == 0:
            break
        depth += (character in _OPEN) - (character in _CLOSE)
        position += 1
    return position


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
