"""The tables as a transaction of the application sees them: what is done here is done if that commits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from weakref import WeakSet

from queuectl.clock import Clock, SystemClock
from queuectl.drivers.contract import Reserved
from queuectl.drivers.control import ControlStore
from queuectl.drivers.database import texts
from queuectl.drivers.database.dialect import MYSQL, POSTGRES, SQLITE
from queuectl.drivers.database.entries import insert
from queuectl.drivers.database.grammar import Grammar
from queuectl.drivers.database.keyvalue import SqlKeyValue
from queuectl.drivers.database.session import Answer, Line, Statements, Token
from queuectl.drivers.database.sessions import Sessions
from queuectl.drivers.database.settle import follow
from queuectl.errors import CannotJoin
from queuectl.jobs.outcome import Done, Entry
from queuectl.transactions import Caller

T = TypeVar("T")
HERE = {
    SQLITE.name: "SELECT file FROM pragma_database_list WHERE name = 'main'",
    POSTGRES.name: "SELECT current_database() || '/' || CAST(CAST(to_regclass('{jobs}') AS oid) AS text) || '@'"
    " || CAST(extract(epoch FROM pg_postmaster_start_time()) AS text)",
    MYSQL.name: "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables"
    " WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :table",
}
"""Which table of which database a connection means by the table of jobs: one row, the same for all that mean the same,
or none. None of these fails, for in PostgreSQL that would spoil the transaction."""


class Joining:
    """Lets transactions of the application in, if they are to the database of this driver."""

    def __init__(
        self,
        sessions: Sessions,
        grammar: Grammar,
        clock: Clock | None,
        *,
        name: str,
        place: str,
        check: Callable[[Sequence[Entry]], None],
    ) -> None:
        self._sessions, self._check = sessions, check
        self._clock = clock or (SystemClock() if grammar.dialect is SQLITE else None)
        self._name, self._place = name, place
        self._dialect = grammar.dialect
        dialect = replace(grammar.dialect, now=AS_CALLED.get(grammar.dialect.name, grammar.dialect.now))
        self._grammars = {named: _grammar(replace(dialect, named=named), grammar, clock) for named in (True, False)}
        schema, _, table = grammar.jobs.rpartition(".")
        self._table = {"schema": schema or None, "table": table} if self._dialect is MYSQL else {}
        self._here: object = None
        self._known: WeakSet[Any] = WeakSet()
        """Connections that are to this database: asked once."""

    def join(self, caller: Caller) -> JoinedStore:
        if caller.dialect != self._dialect.name:
            raise self._elsewhere(caller, f"is to {caller.dialect}")
        session = JoinedSession(caller, self._grammars[caller.named], self._clock)
        raw = caller.raw
        if raw not in self._known:
            self._compare(caller, session)
            self._remember(raw)
        return JoinedStore(session, self._check)

    def _compare(self, caller: Caller, session: JoinedSession) -> None:
        found = self._asked(session)
        if found is None:
            raise self._elsewhere(caller, f"sees no table {self._grammars[True].jobs!r}")
        if found != self._here:  # not known yet, or from before the server was started anew
            self._here = self._sessions.call(self._asked)
        if found != self._here:
            raise self._elsewhere(caller, "is to another database, or to another table of that name")

    def _asked(self, session: Statements) -> object:
        rows = session.run(HERE[self._dialect.name], **self._table).rows
        return rows[0][0] if rows else None

    def _elsewhere(self, caller: Caller, why: str) -> CannotJoin:
        return CannotJoin(f"{caller.shown} was given that {why}, where the jobs of [{self._name}] are not kept.")

    def _remember(self, raw: object) -> None:
        with contextlib.suppress(TypeError):  # sqlite3's own: asked each time, which takes no trip
            self._known.add(raw)


class JoinedStore:
    """As `queuectl.drivers.contract.Joined` says."""

    def __init__(self, session: JoinedSession, check: Callable[[Sequence[Entry]], None]) -> None:
        self._session, self._check = session, check
        self.control = ControlStore(SqlKeyValue(session))

    def push(self, entries: Sequence[Entry]) -> list[str]:
        self._check(entries)
        return insert(self._session, entries)

    def finish(self, receipt: str, payload: bytes, done: Done) -> bool:
        row, token = _token(receipt)
        if not self._session.run(texts.REMOVE_BY_KEY, ids=[row], token=token).count:
            return False
        follow(self._session, Reserved("", str(row), payload, 0, (row, token)), done)
        return True

    def holds(self, receipt: str) -> bool:
        row, token = _token(receipt)
        return bool(self._session.run(texts.HOLDS, id=row, token=token).rows)


class JoinedSession(Statements):
    """The application's connection, as far as the driver's shared code needs one."""

    lines_at_once = 200

    def __init__(self, caller: Caller, grammar: Grammar, clock: Clock | None) -> None:
        super().__init__(grammar, clock)
        self._caller = caller

    def execute(self, sql: str, values: Mapping[str, Any]) -> Answer:
        return Answer(*self._caller.execute(sql, values))

    def call(self, work: Callable[[Statements], T]) -> T:
        """What *work* does with it. What a client library raises leaves as it is: it is the application's."""
        return work(self)

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()  # it is the application's, and goes on

    def insert(self, lines: Sequence[Line]) -> None:
        rows, values = [], dict[str, Any]()
        for number, line in enumerate(lines):
            rows.append(self._row(line.delay, number))
            values |= {f"queue{number}": line.queue, f"payload{number}": line.payload}
        self.run(texts.PUSH + ", ".join(rows), **values)

    def _row(self, delay: float, number: int) -> str:
        """The delay is written out: not every client library says of a parameter that it is no whole number."""
        ready_at = self.grammar.worded("{ready_at}").replace(":delay", repr(delay)) if delay > 0 else "{today}"
        row = texts.PUSH_ROW.replace("{ready_at}", ready_at)
        return row.replace(":queue", f":queue{number}").replace(":payload", f":payload{number}")


AS_CALLED = {MYSQL.name: "(UNIX_TIMESTAMP() + MICROSECOND(NOW(6)) / 1e6)"}
"""The store's clock in a session whose time zone is not ours to set, and where an hour may come twice."""


def _grammar(dialect: Any, like: Grammar, clock: Clock | None) -> Grammar:
    return Grammar(dialect, jobs=like.jobs, failed=like.failed, bound=clock is not None)


def _token(receipt: str) -> Token:
    row, _, token = receipt.partition(" ")
    return int(row), token
