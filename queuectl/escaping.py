"""Text that steers nothing: neither a terminal, nor a shell, nor a reader who takes a line for what it says it is."""

from __future__ import annotations

import re
import shlex

_STEERING = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"  # invisible, or turns the direction
    "\ud800-\udfff\U000e0000-\U000e0fff"
)
_UNSAFE = re.compile(f"[{_STEERING}]")
_UNSAFE_IN_LINES = re.compile(f"(?![\n\t])[{_STEERING}]")
_SHORT = {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}


def safe(text: str, *, lines: bool = False) -> str:
    """*text* with whatever a terminal might obey, hide or reorder as a visible escape such as `\\x1b`.

    *lines*: line ends and tabs stay, for text that is shown as a block.
    """
    return (_UNSAFE_IN_LINES if lines else _UNSAFE).sub(_escape, text)


def typed(*words: str) -> str:
    """A command for people to copy: a shell takes each word as it stands, whoever has written it."""
    return shlex.join(words)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _SHORT:
        return _SHORT[code]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
