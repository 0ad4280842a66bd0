"""Telling an idle worker that work may have come: by looking again, or as soon as SQLite's file changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from queuectl.drivers.database import texts
from queuectl.drivers.database.inotify import FileNews, news_of
from queuectl.drivers.database.session import Session
from queuectl.drivers.database.sessions import Sessions

T = TypeVar("T")
AT_THE_LATEST = 1.0
LOOK = 0.03
"""Seconds between two looks where nobody tells. Waking up is what costs (0.1 ms and more on a virtual machine)."""
UNSEEN = 0.1
"""The same where somebody does, in case of a file system that keeps its news to itself."""
SOON, SOON_ENOUGH = 0.001, 0.01
STIRRED, CALM_AGAIN = 0.005, 0.25
"""A commit is written before it can be seen, by as long as the disk takes: after news look often, then less so, until
there have been none for a while. (How often, for how long, twice.)"""
MOST_MISSES = 10


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
    """Looks again and again, by a question that locks nothing; only what it finds is worth an exchange."""

    def __init__(self, sessions: Sessions, pulse: Pulse, queues: Sequence[str], *, foreign: float) -> None:
        self._sessions = sessions
        self._pulse = pulse
        self._queues = tuple(queues)
        self._foreign = foreign
        self._soonest = texts.soonest(len(self._queues))
        self._session: Session | None = None
        self._question: Callable[[], float] | None = None
        self._due = self._latest = self._tried_at = float("-inf")
        self._misses = 0

    def fileno(self) -> int | None:
        return None

    def next_check_in(self) -> float:
        now = time.monotonic()
        if now >= self._latest:
            self._latest = now + AT_THE_LATEST
        self._due = min(now + self._seconds_to_due(), self._latest)
        return max(min(self._interval(), self._due - time.monotonic()), 0.0)

    def drain(self) -> bool:
        return time.monotonic() >= self._due

    def close(self) -> None:
        session, self._session, self._question = self._session, None, None
        if session is not None:
            session.close()

    def _interval(self) -> float:
        return LOOK

    def _seconds_to_due(self) -> float:
        """Until a delayed job or a lease falls due; the store knows, so ask it."""
        left = self._ask(lambda session: self._question_on(session)())
        if left > 0:
            self._misses = 0
            return left
        return self._seconds_to_try()

    def _seconds_to_try(self) -> float:
        """Something is overdue: at once, but what several exchanges did not get is held by somebody."""
        now = time.monotonic()
        if self._pulse.quiet < now - self._tried_at:  # the last one did get something
            self._misses = 0
        pause = min(LOOK * (1 << self._misses) - LOOK, AT_THE_LATEST)
        if now < self._tried_at + pause:
            return self._tried_at + pause - now
        self._tried_at = now
        self._misses = min(self._misses + 1, MOST_MISSES)
        return 0.0

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

    def _question_on(self, session: Session) -> Callable[[], float]:
        if self._question is None:
            names = {f"queue{number}": queue for number, queue in enumerate(self._queues)}
            self._question = session.question(self._soonest, foreign=self._foreign, **names)
        return self._question

    def _opened(self, session: Session) -> None:
        """Something to do on each new connection."""


class ChangesWatch(PollingWatch):
    """Looks at SQLite's change counter, which costs no lock and almost no time, when its files are written to."""

    _seen: object = None
    _asked_at: object = None
    _news: FileNews | None = None
    _stirred_at = _news_at = float("-inf")

    def fileno(self) -> int | None:
        return None if self._news is None or self._is_stirred else self._news.fileno()

    def next_check_in(self) -> float:
        if self._asked_at is None or self._seen != self._asked_at:  # what falls due changes only when somebody writes
            self._asked_at = self._seen
            self._due = time.monotonic() + min(self._seconds_to_due(), AT_THE_LATEST)
        return min(self._interval(), max(self._due - time.monotonic(), 0.0))

    def drain(self) -> bool:
        self._listen()
        changes, before = self._changes(), self._seen
        self._seen = changes
        due = time.monotonic() >= self._due
        if due:
            self._asked_at = None
        return due or changes != before

    def close(self) -> None:
        news, self._news = self._news, None
        if news is not None:
            news.close()
        super().close()

    def _listen(self) -> None:
        now = time.monotonic()
        if self._news is not None and self._news.take():
            if not self._is_stirred:
                self._stirred_at = now
            self._news_at = now

    def _interval(self) -> float:
        if self._news is None:
            return LOOK
        if not self._is_stirred:
            return UNSEEN
        return SOON if time.monotonic() - self._stirred_at < SOON_ENOUGH else STIRRED

    @property
    def _is_stirred(self) -> bool:
        return time.monotonic() - self._news_at < CALM_AGAIN

    def _opened(self, session: Session) -> None:
        self._news = news_of(session.files)

    def _changes(self) -> object:
        return self._ask(lambda session: session.run("PRAGMA data_version").rows[0][0])
