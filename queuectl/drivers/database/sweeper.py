"""Giving back what nobody holds any more: leases that ran out, and rows that a PHP worker left reserved."""

from __future__ import annotations

import time

from queuectl.clock import Clock
from queuectl.drivers.database import texts
from queuectl.drivers.database.ahead import Ahead
from queuectl.drivers.database.removed import forget_expired
from queuectl.drivers.database.session import Session

AT_THE_LATEST = 1.0
HOUSEKEEPING, CATCHING_UP = 60.0, 1.0
A_MOMENT = 1e-6
"""Two ways of computing one time may differ in the last digit."""


class Sweeper:
    """Knows when the next lease may run out. Sweeps in statements of its own, by index, apart from reserving."""

    def __init__(self, *, lease: float, foreign_retry_after: float, clock: Clock | None) -> None:
        self.foreign = foreign_retry_after
        self._time = clock.now if clock is not None else time.monotonic
        self._ahead = Ahead(lease, self._time)
        self._next = float("-inf")
        self._next_housekeeping = float("-inf")

    def is_due(self) -> bool:
        return self._time() >= self._next

    def sweep(self, session: Session) -> int:
        """Free what has expired and return how much; a clean store costs one read."""
        freed = self._ahead.free(session)
        soon = self.seconds_to_next(session)
        if soon <= 0:
            freed += _free(session, texts.EXPIRED, texts.FREE_EXPIRED)
            freed += _free(session, texts.ABANDONED, texts.FREE_ABANDONED, foreign=self.foreign)
            soon = self.seconds_to_next(session)
        held_by_others = soon <= 0 and not freed
        self._next = self._time() + (AT_THE_LATEST if held_by_others else min(max(soon, 0.0), AT_THE_LATEST)) - A_MOMENT
        self._keep_house(session)
        return freed

    def seconds_to_next(self, session: Session) -> float:
        """Until the next expiry, as far as is known now; infinite if nothing is reserved."""
        ((now, lease, foreign),) = session.run(texts.NEXT_EXPIRY, foreign=self.foreign).rows
        known = [float(moment) for moment in (lease, foreign) if moment is not None]
        return min(known) - float(now) if known else float("inf")

    def _keep_house(self, session: Session) -> None:
        """Now and then forget what has expired, in the control store and among what was removed, by the thousand."""
        if self._time() < self._next_housekeeping:
            return
        keys = [row[0] for row in session.run(texts.CONTROL_SWEEP).rows]
        if keys:
            session.run(texts.CONTROL_SWEEP_AWAY, keys=keys)
        full = max(len(keys), forget_expired(session)) >= texts.SWEPT
        self._next_housekeeping = self._time() + (CATCHING_UP if full else HOUSEKEEPING)


def _free(session: Session, which: str, free: str, **values: float) -> int:
    with session.transaction():
        ids = [row[0] for row in session.run(which, **values).rows]
        return session.run(free, ids=ids, **values).count if ids else 0
