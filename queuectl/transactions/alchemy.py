"""SQLAlchemy: its connections, and its sessions, which tell when they have committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy import Connection, TextClause, event, text
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from queuectl.transactions.caller import Caller

DIALECTS = {"mariadb": "mysql"}
HELD = "queuectl"
"""Under which name a session's `info` has what follows its commit."""


class ConnectionCaller(Caller):
    shown: ClassVar[str] = "A connection of SQLAlchemy"
    named: ClassVar[bool] = True

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    @property
    def connection(self) -> Connection:
        return self._connection

    @property
    def dialect(self) -> str:
        name = self.connection.dialect.name
        return DIALECTS.get(name, name)

    @property
    def raw(self) -> object:
        return self.connection.connection.dbapi_connection

    def execute(self, sql: str, values: Mapping[str, Any]) -> tuple[list[tuple[Any, ...]], int]:
        found = self.connection.execute(_clause(sql), dict(values))
        return [tuple(row) for row in found] if found.returns_rows else [], found.rowcount

    @property
    def is_open(self) -> bool:
        return not self._connection.closed and self._connection.in_transaction()

    def begin(self) -> None:
        if not self._connection.in_transaction():
            self._connection.begin()

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()


class SessionCaller(ConnectionCaller):
    shown: ClassVar[str] = "A session of SQLAlchemy"
    tells: ClassVar[bool] = True

    def __init__(self, session: Session | scoped_session[Session]) -> None:
        Caller.__init__(self)
        self._session: Session = session() if isinstance(session, scoped_session) else session

    @property
    def connection(self) -> Connection:
        """The one of its transaction, which this begins if need be."""
        return self._session.connection()

    def _hear(self, call: Callable[[], object]) -> None:
        self.begin()
        _held(self._session).add(call)

    @property
    def is_open(self) -> bool:
        return self._session.in_transaction()

    def begin(self) -> None:
        if not self._session.in_transaction():
            self._session.begin()

    def commit(self) -> None:
        self._session.commit()

    def rollback(self) -> None:
        self._session.rollback()


class Held:
    """What follows the commit of a session: nothing that was asked for in a savepoint that was rolled back."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._calls: list[tuple[SessionTransaction | None, Callable[[], object]]] = []
        self._committed: SessionTransaction | None = None
        event.listen(session, "after_commit", self._has_committed)
        event.listen(session, "after_transaction_end", self._has_ended)

    def add(self, call: Callable[[], object]) -> None:
        self._calls.append((self._innermost, call))

    @property
    def _innermost(self) -> SessionTransaction | None:
        """The savepoint that it is in, else the transaction."""
        return self._session.get_nested_transaction() or self._session.get_transaction()

    def _has_committed(self, _session: Session) -> None:
        self._committed = self._innermost

    def _has_ended(self, _session: Session, ended: SessionTransaction) -> None:
        well, self._committed = ended is self._committed, None
        inside = [call for transaction, call in self._calls if transaction is ended]
        self._calls = [(transaction, call) for transaction, call in self._calls if transaction is not ended]
        if well and ended.parent is not None:
            self._calls += [(self._innermost, call) for call in inside]
        elif well:  # only now can the session be used again, by a job that runs at once
            for call in inside:
                call()


def _held(session: Session) -> Held:
    found: Held | None = session.info.get(HELD)
    if found is None:
        found = session.info[HELD] = Held(session)
    return found


@lru_cache(maxsize=64)
def _clause(sql: str) -> TextClause:
    return text(sql)
