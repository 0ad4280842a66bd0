"""Keys with values and an expiry, in one table: the ground of the control store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from queuectl.drivers.control import KeyValue
from queuectl.drivers.database import texts
from queuectl.drivers.database.entries import put_new
from queuectl.drivers.database.session import Statements

T = TypeVar("T")


class Calls(Protocol):
    """What runs work on a connection."""

    def call(self, work: Callable[[Statements], T]) -> T: ...


class SqlKeyValue(KeyValue):
    """The six primitives, each a transaction."""

    def __init__(self, sessions: Calls) -> None:
        self._sessions = sessions

    def put(self, key: str, value: str, ttl: float | None = None) -> None:
        def work(session: Statements) -> None:
            with session.transaction():
                session.run(texts.CONTROL_FORGET, key=key)
                session.run(texts.CONTROL_INSERT, key=key, value=value, ttl=ttl)

        self._sessions.call(work)

    def put_new(self, key: str, value: str, ttl: float | None = None) -> bool:
        def work(session: Statements) -> bool:
            with session.transaction():
                return put_new(session, key, value, ttl)

        return self._sessions.call(work)

    def get(self, key: str) -> str | None:
        rows = self._sessions.call(lambda session: session.run(texts.CONTROL_GET, key=key).rows)
        return rows[0][0] if rows else None

    def scan(self, prefix: str) -> dict[str, str]:
        last = prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else "\x7f"
        rows = self._sessions.call(lambda session: session.run(texts.CONTROL_SCAN, first=prefix, last=last).rows)
        return dict(rows)

    def delete(self, key: str, *, holding: str | None = None) -> bool:
        def work(session: Statements) -> bool:
            if holding is None:
                return session.run(texts.CONTROL_DELETE, key=key).count > 0
            return session.run(texts.CONTROL_DELETE_HELD, key=key, holding=holding).count > 0

        return self._sessions.call(work)

    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        def work(session: Statements) -> int:
            with session.transaction():
                put_new(session, key, "0", ttl)
                session.run(texts.CONTROL_ADD, key=key, by=by)
                return int(session.run(texts.CONTROL_GET, key=key).rows[0][0])

        return self._sessions.call(work)
