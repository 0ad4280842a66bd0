"""Whether the files of an SQLite database are still those that were opened."""

from __future__ import annotations

import os
import time
from typing import TypeAlias

LOOK_EVERY = 1.0
"""Seconds between two looks at the files themselves, where their folder is as it was or nothing must be kept."""
FINE, COARSE = 0.05, 3.0
"""Seconds within which two changes of a folder may bear the same time, where its file system counts fractions of them
and where it does not."""
Stamp: TypeAlias = tuple[int, int, int, int]


class FileReplaced(OSError):
    """A path no longer leads to the file that is open: what is written now, nobody else would see."""


class OpenFiles:
    """A database and its log, as they were when they were opened. While somebody has it open, SQLite itself never
    removes or replaces either."""

    def __init__(self, path: str) -> None:
        self._files = [(name, found) for name in (path, f"{path}-wal") if (found := _identity(name))]
        # One that is reached through a link of its own has two folders: then only the files tell.
        self._folder = "" if os.path.islink(path) else os.path.dirname(path) or "."  # noqa: PTH114, PTH120  # as below
        self._stamp: Stamp | None = None
        self._looked_at = float("-inf")

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self._files]

    def look(self, *, now: bool) -> None:
        """Raise `FileReplaced` if one was moved away; *now* even if the last look was not long ago.

        No file leaves its folder without changing it, so that a look at the folder is enough. One at a file itself is
        felt: who asks for its times has Linux put new ones to its next write, and those to the disk.
        """
        moment = time.monotonic()
        if moment - self._looked_at < LOOK_EVERY and (not now or self._is_as_it_was()):
            return
        self._looked_at = moment
        self._stamp = _lasting(_stamp(self._folder))
        for name, opened in self._files:
            found = _identity(name)
            if found != opened:
                raise FileReplaced(f"{name} was {'replaced' if found else 'removed'} while in use")

    def _is_as_it_was(self) -> bool:
        return self._stamp is not None and self._stamp == _stamp(self._folder)


def _identity(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116  # an object a look would be felt on the hot path
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_dev


def _stamp(folder: str) -> Stamp | None:
    """A folder that bears another one has been changed. None if there is none."""
    try:
        found = os.stat(folder)  # noqa: PTH116  # likewise
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_dev, found.st_mtime_ns, found.st_ctime_ns


def _lasting(stamp: Stamp | None) -> Stamp | None:
    """None for one that the next change might leave as it is."""
    changed = max(stamp[2:]) if stamp else 0
    is_young = time.time() - changed / 1e9 < (FINE if changed % 1_000_000_000 else COARSE)
    return None if is_young else stamp
