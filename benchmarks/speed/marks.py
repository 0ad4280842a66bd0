"""When each job was begun: a file of doubles, one a job, that all processes of a measurement share.

Imported by workers of every kind, in environments of their own: the standard library only.
"""

from __future__ import annotations

import mmap
import os
import time
from functools import cache
from pathlib import Path

VARIABLE = "SPEED_MARKS"
WIDTH = 8


class Marks:
    """The file as the measuring process sees it."""

    def __init__(self, file: Path, count: int) -> None:
        """An empty one for *count* jobs; what an earlier one of that name held is gone."""
        self.count = count
        file.write_bytes(bytes(WIDTH * count))
        self._slots = _mapped(str(file))

    def times(self, first: int, count: int) -> list[float]:
        """`time.monotonic` of these marks; 0 where there is none yet."""
        return [float(time) for time in self._slots[first : first + count]]

    def forget(self) -> None:
        """As if none of them had begun yet."""
        for number in range(self.count):
            self._slots[number] = 0.0


def mark(number: int) -> None:
    """Note in the file that `SPEED_MARKS` names that this job begins now."""
    _opened()[number] = time.monotonic()


@cache
def _opened() -> memoryview[float]:
    return _mapped(os.environ[VARIABLE])


def _mapped(path: str) -> memoryview[float]:
    with Path(path).open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
