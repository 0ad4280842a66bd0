"""SQLite: many processes, one writer at a time, no server."""

from __future__ import annotations

import contextlib
import math
import os
import random
import sqlite3
import time
import weakref
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from queuectl.clock import Clock, SystemClock
from queuectl.drivers.concern import Concern
from queuectl.drivers.database import texts
from queuectl.drivers.database.address import Address
from queuectl.drivers.database.files import OpenFiles
from queuectl.drivers.database.gate import Gate
from queuectl.drivers.database.grammar import Grammar
from queuectl.drivers.database.session import Answer, Fault, Haul, Line, Row, Session, Token, Turn
from queuectl.drivers.database.sqlite_faults import explain
from queuectl.drivers.database.watch import ChangesWatch
from queuectl.errors import TableMissing

FINISH = "DELETE FROM {jobs} WHERE id = ? AND reserved_by = ? AND reserved_at <= lease_until"
FINISH_ALL = "DELETE FROM {jobs} WHERE reserved_by = ? AND reserved_at <= lease_until AND id IN "
PEEK = "SELECT 1 FROM {jobs} WHERE queue = ? AND reserved_at IS NULL AND available_at <= ? LIMIT 1"
# Two statements rather than one with RETURNING, whose temporary table costs ten times as much once the cache is full.
FIND = (
    "SELECT id, queue, {payload}, {attempts_more}, available_at FROM {jobs}"
    " WHERE queue = ? AND reserved_at IS NULL AND available_at <= ? ORDER BY available_at, id LIMIT ?"
)
MARK = "UPDATE {jobs} SET reserved_at = ?, reserved_by = ?, lease_until = ?, attempts = {attempts_more} WHERE id IN "
SIZES = (1, 4, 16, 64, 256)
"""How many rows one statement names: few lengths, so that SQLite knows its text already."""
LARGEST = SIZES[-1]
INSERT_SIZES = (64, 16, 4, 1)
"""Rows that one statement inserts: many at once cost a third of what they cost one by one."""
INSERT_ROW = "(?, ?, 0, ?, ?)"
COLUMNS = 4
"""Values that it takes."""
SETTINGS = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = {busy}; PRAGMA journal_size_limit = 8388608;
PRAGMA wal_autocheckpoint = 1000; PRAGMA trusted_schema = OFF;
"""
LATEST = 2**63 - 1
"""A moment that is never; no column holds a later one."""
LONGEST_BUSY = 100
"""Milliseconds that SQLite itself waits before it asks us; less where the whole call is to be short."""
BUGGY = (3, 7, 0), (3, 51, 3)
"""The first version with the fault that `about` tells of, and the first without it."""
LONGEST_WAIT = 5.0
CLOSING = 0.2
"""Seconds that closing waits for its turn at the gate."""


class SqliteEngine:
    """Opens sessions on one file."""

    watch = ChangesWatch

    def __init__(self, address: Address, grammar: Grammar, clock: Clock | None, timeout: float) -> None:
        self._path = address.database
        self._grammar = grammar
        self._clock = clock or SystemClock()
        self._timeout = min(timeout, LONGEST_WAIT)

    def open(self) -> SqliteSession:
        if not Path(self._path).exists():
            raise TableMissing(f"There is no database {self._path} yet.")
        return SqliteSession(self._path, self._grammar, self._clock, self._timeout)

    def create(self) -> None:
        """Make the file, readable by nobody else, if it is not there."""
        path = Path(self._path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def explain(self, error: Exception) -> Fault | None:
        return explain(error)

    def about(self, session: Session) -> dict[str, str]:
        facts = {
            "server": f"SQLite {sqlite3.sqlite_version}",
            "durability": f"journal_mode={_journal(session)}, synchronous=FULL: a push is on the disk when it returns;"
            " finished jobs: at the next checkpoint",
        }
        if BUGGY[0] <= sqlite3.sqlite_version_info < BUGGY[1]:
            facts["note"] = (
                "versions 3.7.0 to 3.51.2 can damage a file whose log is emptied by one program while another writes;"
                " ours take turns, so leave PRAGMA wal_checkpoint to them"
            )
        return facts

    def concerns(self, session: Session) -> list[Concern]:
        return journal_concerns(_journal(session))

    def largest(self, session: Session) -> int | None:
        return 1_000_000_000


class SqliteSession(Session):
    """One connection, one descriptor of the gate."""

    lines_at_once = 1_000
    _clock: Clock

    def __init__(self, path: str, grammar: Grammar, clock: Clock, timeout: float) -> None:
        self._db, self._gate = _opened(path, busy=min(LONGEST_BUSY, int(timeout * 100)))
        super().__init__(grammar, clock)
        self._timeout = timeout
        self._durable = True
        self._files = OpenFiles(path)
        self._durably, self._relaxed = _Transaction(self, durable=True), _Transaction(self, durable=False)
        self._finish, self._peek, self._find = map(grammar.render, (FINISH, PEEK, FIND))
        put = grammar.render(texts.PUSH)
        self._put = {size: put + ", ".join([INSERT_ROW] * size) for size in INSERT_SIZES}
        self._finish_all, self._mark = (_by_size(grammar.render(text)) for text in (FINISH_ALL, MARK))

    def execute(self, sql: str, values: Mapping[str, Any]) -> Answer:
        if self._db.in_transaction or sql.startswith(("SELECT", "PRAGMA", "EXPLAIN")):
            return self._execute(sql, values)
        with self.transaction():
            return self._execute(sql, values)

    def _execute(self, sql: str, values: Mapping[str, Any]) -> Answer:
        cursor = self._db.execute(sql, values)
        return Answer(cursor.fetchall(), cursor.rowcount)

    def insert(self, lines: Sequence[Line]) -> None:
        if self._db.in_transaction:
            self._insert(lines)
        elif len(lines) == 1:
            self._insert_alone(lines)
        else:
            with self.transaction():
                self._insert(lines)

    def _insert_alone(self, lines: Sequence[Line]) -> None:
        """One statement is a transaction in itself: two fewer to run."""
        self._take_place(durable=True)
        try:
            self._write(self._put[1], self._values(lines))
        finally:
            self._gate.give()

    def _insert(self, lines: Sequence[Line]) -> None:
        values, start = self._values(lines), 0
        for size in INSERT_SIZES:
            wide = size * COLUMNS
            while len(values) - start >= wide:
                self._db.execute(self._put[size], values[start : start + wide])
                start += wide

    def _values(self, lines: Sequence[Line]) -> list[object]:
        """Of all rows, one after the other."""
        now = self._clock.now()
        today = int(now)
        values: list[object] = []
        for queue, payload, delay in lines:
            values += (queue, payload, today if delay <= 0 else min(math.ceil(now + delay), LATEST), today)
        return values

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        return self._durably

    def turn(self, turn: Turn, *, alone: bool) -> Haul:
        if not alone:
            return Haul(self._forget_each(turn.finished), self._reserve(turn))
        if not turn.finished and not self._any_ready(turn):
            return Haul([], [])
        try:
            with self._relaxed:
                return Haul(self._forget(turn.finished), self._reserve(turn))
        except _TokenGone:
            with self._relaxed:
                return Haul(self._forget_each(turn.finished), self._reserve(turn))

    def _forget(self, finished: Sequence[Token]) -> list[bool]:
        """Take for granted that every token is good, which saves a batch half its time; `_TokenGone` if one was not."""
        if len(finished) < 2:
            return self._forget_each(finished)
        by_token: dict[str, list[int]] = {}
        for row, token in finished:
            by_token.setdefault(token, []).append(row)
        if sum(self._run_all(self._finish_all, (token,), rows) for token, rows in by_token.items()) < len(finished):
            raise _TokenGone
        return [True] * len(finished)

    def _forget_each(self, finished: Sequence[Token]) -> list[bool]:
        return [self._db.execute(self._finish, token).rowcount > 0 for token in finished]

    def _reserve(self, turn: Turn) -> list[Row]:
        now, room = self._clock.now(), turn.room
        rows: list[Row] = []
        for queue in turn.queues:
            if room <= 0:
                break
            found = self._db.execute(self._find, (queue, now, room)).fetchall()
            rows += map(Row._make, found)
            room -= len(found)
        if rows:
            self._run_all(self._mark, (int(now), turn.token, now + turn.lease), [row.id for row in rows])
        return rows

    def _run_all(self, texts: Mapping[int, str], values: tuple[object, ...], ids: Sequence[int]) -> int:
        """Run one of *texts*, by size, for these rows; how many it hit."""
        count = len(ids)
        if count == 1:
            return self._db.execute(texts[1], (*values, ids[0])).rowcount
        if count > LARGEST:
            return self._run_all(texts, values, ids[:LARGEST]) + self._run_all(texts, values, ids[LARGEST:])
        size = SIZES[bisect_left(SIZES, count)]
        return self._db.execute(texts[size], (*values, *ids, *(None,) * (size - count))).rowcount

    def _any_ready(self, turn: Turn) -> bool:
        # A look that locks nothing, so that a crowd of idle workers does not queue up for the writer's place.
        now = self._clock.now()
        return turn.room > 0 and any(
            self._db.execute(self._peek, (queue, now)).fetchone() is not None for queue in turn.queues
        )

    def begin(self, *, durable: bool) -> None:
        """Become the writer, once it is our turn."""
        self._take_place(durable=durable)
        try:
            self._write("BEGIN IMMEDIATE")
        except BaseException:
            self._gate.give()
            raise

    def _take_place(self, *, durable: bool) -> None:
        """Nobody else of ours writes from now on, until the gate is given back."""
        self._files.look(now=durable)
        if durable is not self._durable:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        self._gate.take(self._timeout / 2)

    def end(self, *, well: bool) -> None:
        try:
            if well:
                self._db.execute("COMMIT")  # checkpoints happen in here, so they too are behind the gate
        finally:
            try:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            finally:
                self._gate.give()

    def _write(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run what begins to write. Others than we (the sqlite3 shell) do not know the gate: wait for them too."""
        deadline = time.monotonic() + self._timeout / 2
        while True:
            try:
                self._db.execute(sql, values)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.0005, 0.005))  # noqa: S311  # jitter, not a secret
            else:
                return

    @property
    def files(self) -> Sequence[str]:
        return self._files.names

    def close(self) -> None:
        if self._gate.is_open:
            self._gate.take(CLOSING)  # the last to leave writes a checkpoint
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._gate.close()


class _Transaction:
    """All or nothing. A generator in its place would cost the hot path a microsecond."""

    def __init__(self, session: SqliteSession, *, durable: bool) -> None:
        self._session = weakref.proxy(session)
        self._durable = durable

    def __enter__(self) -> None:
        self._session.begin(durable=self._durable)

    def __exit__(self, kind: object, *error: object) -> None:
        self._session.end(well=kind is None)


class _TokenGone(Exception):
    """One of a batch's tokens is stale: look at each."""


def _by_size(text: str) -> dict[int, str]:
    """A text that ends in `id IN `, for each number of rows."""
    return {size: f"{text}({', '.join('?' * size)})" for size in SIZES}


def _journal(session: Session) -> str:
    return str(session.execute("PRAGMA journal_mode", {}).rows[0][0])


def journal_concerns(mode: str) -> list[Concern]:
    """What follows from how the file is written."""
    if mode == "wal":
        return []
    text = f"The file is written in journal_mode={mode}, not wal: its folder may not be on a disk of this machine."
    return [Concern("durability", text, "url = sqlite:////var/lib/…/queue.sqlite  # a file on a local disk")]


def _opened(path: str, *, busy: int) -> tuple[sqlite3.Connection, Gate]:
    db = sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, isolation_level=None, check_same_thread=False)
    db.text_factory = _lenient
    try:
        db.executescript(SETTINGS.format(busy=busy))
        return db, Gate(f"{path}.lock")
    except BaseException:
        db.close()
        raise


def _lenient(raw: bytes) -> str:
    # Whatever another program wrote, a row of it must not stop the others.
    return raw.decode("utf-8", "replace")


def engine(address: Address, grammar: Grammar, clock: Clock | None, timeout: float) -> SqliteEngine:
    return SqliteEngine(address, grammar, clock, timeout)
