"""How far a session has read into each queue. PostgreSQL keeps the entries of rows that are gone at the front of the
index until a vacuum comes by: without a bookmark every reservation reads past all of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from queuectl.drivers.database.session import Row

Place = tuple[int, int]
"""When a row became ready, and its id: the order of a queue."""
START: Place = (-(1 << 31), 0)
GOOD_FOR = 0.1
"""Seconds; then the queue is read from its start again: a lease that ran out puts a row back where it stood."""
STREAK = 8
"""Full answers in a row before bookmarks are used: where there is no backlog there is nothing to read past."""


class Bookmarks:
    """Of one session. Where a bookmark leaves room, the start is looked at before the room counts as empty."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._streak = 0
        self._read_at = float("-inf")
        """When everything was last read from the start."""

    def of(self, queues: Sequence[str]) -> list[Place]:
        """From where to read each; all from the start where that is due."""
        now = time.monotonic()
        if self._streak < STREAK or now - self._read_at >= GOOD_FOR:
            self._read_at = now
            return [START] * len(queues)
        return [self._places.get(queue, START) for queue in queues]

    def keep(self, rows: Sequence[Row], room: int) -> None:
        """After a reservation of *rows*, in order."""
        if len(rows) < room:
            self.clear()
            return
        self._streak += 1
        for row in rows:
            self._places[row.queue] = (row.available_at, row.id)

    def clear(self) -> None:
        self._places.clear()
        self._streak = 0
