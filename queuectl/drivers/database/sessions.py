"""A session for each thread and process, with what happens when a call fails."""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from collections.abc import Callable
from typing import TypeVar

from queuectl.drivers.database.session import Engine, Fault, Session
from queuectl.errors import (
    AccessDenied,
    ConfigurationError,
    DataRefused,
    DriverUnavailable,
    QueuectlError,
    StoreFull,
    TableMissing,
)

T = TypeVar("T")
MOST_TRIES = 10
IDLE = 5.0
"""Seconds after which a connection is tried before it is trusted: servers restart, and close what is idle."""
KINDS: dict[Fault, tuple[type[QueuectlError], str]] = {
    Fault.BUSY: (DriverUnavailable, "is busy"),
    Fault.LOST: (DriverUnavailable, "cannot be reached"),
    Fault.FULL: (StoreFull, "has no room left"),
    Fault.DATA: (DataRefused, "refuses this as data"),
    Fault.MISSING: (TableMissing, "lacks a table or a column"),
    Fault.DENIED: (AccessDenied, "refuses these credentials or rights"),
    Fault.WRONG: (ConfigurationError, "cannot be used"),
}


class _Seat(threading.local):
    """This thread's session, and the process that opened it."""

    session: Session | None = None
    pid: int = 0
    used: float = 0.0


class Sessions:
    """Runs work on a session, opened when it is first needed, one a thread and process."""

    def __init__(self, engine: Engine, *, place: str, secret: str, patience: float) -> None:
        self._engine = engine
        self._place = place
        self._secret = secret
        self._patience = patience
        self._seat = _Seat()
        self._open: weakref.WeakSet[Session] = weakref.WeakSet()
        self._inherited: list[Session] = []

    def call(self, work: Callable[[Session], T]) -> T:
        """What *work* returns. Client errors leave as ours; after a lock time-out or a deadlock it is tried again."""
        deadline = time.monotonic() + self._patience
        tries = 1
        while True:
            try:
                return work(self._session())
            except Exception as error:
                fault = self._blame(error)
                if fault is not Fault.BUSY or tries >= MOST_TRIES or time.monotonic() > deadline:
                    raise self._ours(fault, error) from error
            except BaseException:
                self._discard()  # an alarm or Ctrl-C may have landed in the middle of the protocol
                raise
            time.sleep(random.uniform(0, 0.002 * 2 ** min(tries, 6)))  # noqa: S311  # jitter, not a secret
            tries += 1

    def fresh(self) -> Session:
        """A session of its own for the caller to keep and close."""
        try:
            return self._engine.open()
        except Exception as error:
            raise self.explained(error) from error

    def explained(self, error: Exception) -> Exception:
        """The error as one of ours; itself where it is not a client library's."""
        fault = self._engine.explain(error)
        return error if fault is None else self._ours(fault, error)

    def close(self) -> None:
        """Close the sessions of this process, whichever thread opened them."""
        for session in list(self._open):
            session.close()
        self._open.clear()
        self._seat.session = None

    def _session(self) -> Session:
        seat, now = self._seat, time.monotonic()
        session = seat.session
        if session is not None and seat.pid == os.getpid():
            if not session.lost and (now - seat.used < IDLE or session.alive()):
                seat.used = now
                return session
            self._discard()
        elif session is not None:
            self._leave_to_the_parent(session)
        seat.session = session = self._engine.open()
        seat.pid, seat.used = os.getpid(), now
        self._open.add(session)
        return session

    def _leave_to_the_parent(self, session: Session) -> None:
        # Closing or collecting an inherited connection would say goodbye in the parent's name.
        self._inherited += {session, *self._open}
        self._open.clear()
        self._seat.session = None

    def _discard(self) -> None:
        session, self._seat.session = self._seat.session, None
        if session is not None:
            self._open.discard(session)
            session.close()

    def _blame(self, error: Exception) -> Fault:
        fault = self._engine.explain(error)
        if fault is None:
            raise error
        if fault in (Fault.LOST, Fault.WRONG, Fault.DENIED, Fault.MISSING):
            self._discard()
        return fault

    def _ours(self, fault: Fault, error: Exception) -> QueuectlError:
        kind, what = KINDS[fault]
        said = " ".join(str(error).split()) or type(error).__name__
        if self._secret:
            said = said.replace(self._secret, "***")
        return kind(f"{self._place} {what}: {said}")
