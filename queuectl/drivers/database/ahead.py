"""Leases from a future that will not come soon: the clock was set back after they were made."""

from __future__ import annotations

from collections.abc import Callable

from queuectl.drivers.database import texts
from queuectl.drivers.database.session import Session

LOOKS_APART = 60.0
"""Seconds between two looks; whoever still works renews several times as often, and so brings the lease back."""


class Ahead:
    """Remembers, from look to look, the leases that end later than one made now would."""

    def __init__(self, lease: float, time: Callable[[], float]) -> None:
        self._lease, self._time = lease, time
        self._next = float("-inf")
        self._seen: dict[int, tuple[str, float]] = {}

    def free(self, session: Session) -> int:
        """Free those that nobody has renewed since the last look, if it is time for one; how many."""
        if self._time() < self._next:
            return 0
        self._next = self._time() + LOOKS_APART
        before, rows = self._seen, session.run(texts.AHEAD, lease=self._lease).rows
        self._seen = {row: (token, until) for row, token, until in rows}
        same = [row for row, seen in self._seen.items() if before.get(row) == seen]
        if not same:
            return 0
        tokens = [self._seen[row][0] for row in same]
        return session.run(texts.FREE_AHEAD, ids=same, tokens=tokens, lease=self._lease).count
