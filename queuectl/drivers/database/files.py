"""Whether the files of an SQLite database are still those that were opened."""

from __future__ import annotations

import os
import time

LOOK_EVERY = 1.0
"""Seconds between two looks, where nothing is written that must be kept."""


class FileReplaced(OSError):
    """A path no longer leads to the file that is open: what is written now, nobody else would see."""


class OpenFiles:
    """A database and its log, as they were when they were opened. While somebody has it open, SQLite itself never
    removes or replaces either."""

    def __init__(self, path: str) -> None:
        self._files = [(name, found) for name in (path, f"{path}-wal") if (found := _identity(name))]
        self._looked_at = time.monotonic()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self._files]

    def look(self, *, now: bool) -> None:
        """Raise `FileReplaced` if one was moved away; *now* even if the last look was not long ago."""
        moment = time.monotonic()
        if not now and moment - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = moment
        for name, opened in self._files:
            found = _identity(name)
            if found != opened:
                raise FileReplaced(f"{name} was {'replaced' if found else 'removed'} while in use")


def _identity(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116  # an object a look would be felt on the hot path
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_dev
