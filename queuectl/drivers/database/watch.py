"""Telling an idle worker that work may have come: by looking again, or as soon as SQLite's file changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from queuectl.drivers.database import texts
from queuectl.drivers.database.session import Session
from queuectl.drivers.database.sessions import Sessions

T = TypeVar("T")
AT_THE_LATEST = 1.0
LOOK = 0.01
"""Seconds between two looks while something is likely to come."""
CALM_LOOK, CALM_AFTER = 0.025, 2.0
"""Waking up is what costs (0.1 ms and more on a virtual machine): an idle worker does it less often."""


class Pulse:
    """When there was last something to do."""

    def __init__(self) -> None:
        self._at = float("-inf")

    def beat(self) -> None:
        self._at = time.monotonic()

    @property
    def quiet(self) -> float:
        return time.monotonic() - self._at


class PollingWatch:
    """Asks again often just after there was work, and less and less while it stays quiet."""

    def __init__(self, sessions: Sessions, pulse: Pulse, queues: Sequence[str], *, foreign: float) -> None:
        self._sessions = sessions
        self._pulse = pulse
        self._queues = tuple(queues)
        self._foreign = foreign
        self._soonest = texts.soonest(len(self._queues))
        self._session: Session | None = None
        self._due = float("-inf")
        self._overdue = False

    def fileno(self) -> int | None:
        return None

    def next_check_in(self) -> float:
        interval = min(self._interval(), self._seconds_to_due())
        self._due = time.monotonic() + interval
        return interval

    def drain(self) -> bool:
        return time.monotonic() >= self._due

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _interval(self) -> float:
        return min(max(self._pulse.quiet / 4, LOOK), AT_THE_LATEST)

    def _seconds_to_due(self) -> float:
        """Until a delayed job or a lease falls due; the store knows, so ask it.

        What is overdue at two questions running is held by somebody: an exchange between them did not get it.
        """
        names = {f"queue{number}": queue for number, queue in enumerate(self._queues)}
        ((now, *moments),) = self._ask(lambda session: session.run(self._soonest, foreign=self._foreign, **names).rows)
        left = min((float(moment) for moment in moments if moment is not None), default=float("inf")) - float(now)
        before, self._overdue = self._overdue, left <= 0
        return float("inf") if before and left <= 0 else max(left, 0.0)

    def _ask(self, work: Callable[[Session], T]) -> T:
        """On a connection of the watch's own; a new one next time if this one fails."""
        try:
            if self._session is None:
                self._session = self._sessions.fresh()
                self._opened(self._session)
            return work(self._session)
        except Exception as error:
            self.close()
            raise self._sessions.explained(error) from error

    def _opened(self, session: Session) -> None:
        """Something to do on each new connection."""


class ChangesWatch(PollingWatch):
    """Looks at SQLite's change counter: it costs no lock and almost no time, so many times a second."""

    _seen: object = None
    _asked_at: object = None

    def next_check_in(self) -> float:
        if self._asked_at is None or self._seen != self._asked_at:  # what falls due changes only when somebody writes
            self._asked_at = self._seen
            self._due = time.monotonic() + min(self._seconds_to_due(), AT_THE_LATEST)
        look = LOOK if self._pulse.quiet < CALM_AFTER else CALM_LOOK
        return min(look, max(self._due - time.monotonic(), 0.0))

    def drain(self) -> bool:
        changes, before = self._changes(), self._seen
        self._seen = changes
        due = time.monotonic() >= self._due
        if due:
            self._asked_at = None
        return due or changes != before

    def _changes(self) -> object:
        return self._ask(lambda session: session.run("PRAGMA data_version").rows[0][0])
