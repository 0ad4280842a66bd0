"""Slices of a list or a set that are read at once: as many jobs as keep nobody waiting, however large they are."""

from __future__ import annotations

FIRST, MOST, MOST_BYTES = 50, 500, 1_000_000


class Stride:
    """How many jobs are read next."""

    def __init__(self) -> None:
        self.jobs = FIRST

    def adapt(self, size: int) -> None:
        """*size*: the bytes that were read last."""
        self.jobs = max(self.jobs // 4, 1) if size > MOST_BYTES else min(self.jobs * 2, MOST)


class Slices:
    """A walk through a list: onward from a place, or backward from its end, where workers do not shorten it."""

    def __init__(self, start: int, *, backward: bool = False) -> None:
        self.start = start
        """Jobs that lie behind us."""
        self.ended = False
        self.backward = backward
        self._stride = Stride()

    @property
    def range(self) -> tuple[bytes, bytes]:
        """First and last of the next slice, as Redis counts."""
        near, far = self.start, self.start + self._stride.jobs - 1
        return (b"%d" % (-1 - far), b"%d" % (-1 - near)) if self.backward else (b"%d" % near, b"%d" % far)

    def move(self, jobs: int, size: int, *, ended: bool) -> None:
        """Past so many jobs that lie there."""
        self.start += jobs
        self.ended = ended
        self._stride.adapt(size)
