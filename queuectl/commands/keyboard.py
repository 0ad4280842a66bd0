"""One key at a time, without waiting for a line to end."""

from __future__ import annotations

import os
import select
import termios
import time
import tty
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

QUIT = "quit"
UP, DOWN, ESCAPE = "up", "down", "escape"
_SEQUENCES = {
    b"\x1b[A": UP,
    b"\x1bOA": UP,
    b"\x1b[B": DOWN,
    b"\x1bOB": DOWN,
    b"k": UP,
    b"j": DOWN,
    b"\x04": QUIT,  # Ctrl-D, which is no end of file any more
}
_TOGETHER = 0.05
"""Seconds within which the bytes of one key come."""
_LONGEST = 8


class Keyboard:
    """The keys of a terminal, between `with` and its end.

    No thread reads them: who draws the screen also waits here. A stream in memory has no descriptor: its characters are
    the keys, and its end is the end. What is neither, such as a file, has no keys at all.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._descriptor = _descriptor(stream)
        self._has_keys = stream.isatty()  # asked once: a terminal that was closed is none any more
        self._before: list[Any] | None = None
        self._pending = b""

    def __enter__(self) -> Keyboard:
        if self._has_keys and self._descriptor is not None:
            self._before = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor, termios.TCSADRAIN)
            _forbid_suspending(self._descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None and self._descriptor is not None:
            with suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def next(self, timeout: float) -> str | None:
        """The next key, or None if none was pressed within *timeout* seconds. `QUIT` once the terminal is gone."""
        if not self._has_keys:
            time.sleep(timeout)
            return None
        if self._descriptor is None:
            letter = self._stream.read(1)
            return _SEQUENCES.get(letter.encode(), letter) or QUIT
        if not self._pending and not _readable(self._descriptor, timeout):
            return None
        return self._take(self._descriptor)

    def _take(self, descriptor: int) -> str:
        while self._is_begun() and len(self._pending) < _LONGEST and _readable(descriptor, _TOGETHER):
            read = _read(descriptor)
            if not read:
                return QUIT
            self._pending += read
        for sequence, key in _SEQUENCES.items():
            if self._pending.startswith(sequence):
                self._pending = self._pending[len(sequence) :]
                return key
        return self._plain()

    def _is_begun(self) -> bool:
        """There may be more of it: nothing was read yet, or an escape that may begin a longer key."""
        return not self._pending or (
            self._pending[:1] == b"\x1b" and not any(map(self._pending.startswith, _SEQUENCES))
        )

    def _plain(self) -> str:
        """A letter, or an escape, alone or as the beginning of a key that means nothing here."""
        if self._pending[:1] == b"\x1b":
            self._pending = b""
            return ESCAPE
        letter, self._pending = self._pending[:1], self._pending[1:]
        return letter.decode("ascii", "replace").lower()


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _readable(descriptor: int, timeout: float) -> bool:
    return bool(select.select([descriptor], [], [], timeout)[0])


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _LONGEST)
    except OSError:  # the terminal was closed
        return b""


def _forbid_suspending(descriptor: int) -> None:
    """Ctrl-Z would leave the shell with a screen that is not its own."""
    settings = termios.tcgetattr(descriptor)
    settings[6][termios.VSUSP] = b"\0"
    termios.tcsetattr(descriptor, termios.TCSADRAIN, settings)
