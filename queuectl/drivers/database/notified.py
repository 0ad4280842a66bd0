"""Waking up by PostgreSQL's LISTEN: it only shortens the polling, for notes are few and can be lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from queuectl.drivers.database.session import Session
from queuectl.drivers.database.watch import AT_THE_LATEST, PollingWatch

if TYPE_CHECKING:
    from queuectl.drivers.database.postgres import PostgresSession

CLOSE = 0.003
MOMENT = 0.15
"""Seconds of close looks after work or a note, longer than a note keeps others back: a burst is announced once, and its
tail not at all."""


class NotifiedWatch(PollingWatch):
    """Readable as soon as a note has come."""

    _noted_at = float("-inf")

    def fileno(self) -> int | None:
        return None if self._session is None else self._listening(self._session).fileno()

    def drain(self) -> bool:
        noted = self._ask(lambda session: self._listening(session).announced(self._queues))
        if noted:
            self._noted_at = time.monotonic()
        return noted or super().drain()

    def _interval(self) -> float:
        quiet = min(self._pulse.quiet, time.monotonic() - self._noted_at)
        return CLOSE if quiet < MOMENT else AT_THE_LATEST

    def _opened(self, session: Session) -> None:
        self._listening(session).listen()

    def _listening(self, session: Session) -> PostgresSession:
        return cast("PostgresSession", session)
