"""PostgreSQL, through psycopg 3: a turn is one prepared statement, workers are woken by NOTIFY."""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from queuectl.clock import Clock
from queuectl.drivers.concern import Concern
from queuectl.drivers.database import texts
from queuectl.drivers.database.address import Address
from queuectl.drivers.database.bookmarks import START, Bookmarks, Place
from queuectl.drivers.database.grammar import Grammar
from queuectl.drivers.database.notified import NotifiedWatch
from queuectl.drivers.database.postgres_concerns import concerns
from queuectl.drivers.database.postgres_faults import explain
from queuectl.drivers.database.postgres_wire import LONGEST_WAIT, Bounded, Prepared, array, text_array
from queuectl.drivers.database.session import Answer, Fault, Haul, Line, Row, Session, Turn, in_order

TURN = """
WITH finished AS (
    DELETE FROM {jobs} USING unnest(CAST(:ids AS bigint[]), CAST(:tokens AS text[])) AS f(id, token)
    WHERE {jobs}.id = f.id AND {jobs}.reserved_by = f.token AND {jobs}.reserved_at <= {jobs}.lease_until
    RETURNING {jobs}.id, {jobs}.reserved_by
), ready AS MATERIALIZED (
    SELECT first.id
    FROM unnest(CAST(:queues AS text[]), CAST(:since AS bigint[]), CAST(:after AS bigint[])) AS q(name, since, after)
    CROSS JOIN LATERAL (
        SELECT id FROM {jobs} WHERE queue = q.name AND reserved_at IS NULL AND available_at <= {today}
        AND (available_at, id) > (q.since, q.after)
        ORDER BY available_at, id LIMIT CAST(:room AS bigint) FOR UPDATE SKIP LOCKED
    ) AS first LIMIT CAST(:room AS bigint)
), taken AS (
    UPDATE {jobs} SET reserved_at = {today}, reserved_by = CAST(:token AS text),
        lease_until = {now} + CAST(:lease AS double precision), attempts = {attempts_more}
    FROM ready WHERE {jobs}.id = ready.id
    RETURNING {jobs}.id, {jobs}.queue, {jobs}.payload, {jobs}.attempts, {jobs}.available_at
)
SELECT id, NULL, reserved_by, NULL, NULL FROM finished UNION ALL SELECT * FROM taken
"""
RELAX = """
UNION ALL SELECT 0, NULL, NULL, NULL, NULL
FROM (SELECT set_config('synchronous_commit', 'off', true) AS now_off) AS setting WHERE now_off = ''
"""
DELAY = re.compile(r":delay\b")
# As many lines as there are, as three arrays: a list of VALUES is parsed anew for each. OFFSET has the time worked out
# once, not for each line.
PUSH_MANY = f"""
{texts.PUSH.replace("VALUES", "SELECT")} fresh.queue, fresh.payload, 0,
    CASE WHEN fresh.delay > 0 THEN CAST(ceil(clock.now + fresh.delay) AS bigint) ELSE clock.today END, clock.today
FROM (SELECT {{now}} AS now, {{today}} AS today OFFSET 0) AS clock,
    unnest(CAST(:queues AS text[]), CAST(:payloads AS text[]), CAST(:delays AS double precision[]))
    AS fresh(queue, payload, delay)
"""
# Plans that do not depend on what the statistics of an emptied table say: always by index, planned once.
SETTINGS = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "default_transaction_isolation": r"read\ committed",
    "idle_in_transaction_session_timeout": "10s",
}
CHANNEL = "queuectl"
BETWEEN_NOTES = 0.1
"""Seconds between two notes about one queue: NOTIFY takes a lock of the whole database."""


class PostgresEngine:
    """Opens sessions to one database."""

    watch = NotifiedWatch

    def __init__(self, address: Address, grammar: Grammar, clock: Clock | None, timeout: float) -> None:
        self._address = address
        self._grammar = grammar
        self._clock = clock
        self._timeout = timeout

    def open(self) -> PostgresSession:
        connection = Bounded.connect(self._conninfo(), autocommit=True)
        connection.patience = self._timeout
        session = PostgresSession(connection, self._grammar, self._clock)
        session.promise_durability()
        return session

    def _conninfo(self) -> str:
        address, milliseconds = self._address, math.ceil(self._timeout * 1000)
        settings = {
            **SETTINGS,
            "statement_timeout": str(milliseconds),
            "lock_timeout": str(min(milliseconds, int(LONGEST_WAIT * 1000))),
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        given: dict[str, Any] = dict(address.options)
        given["options"] = f"{options} {given.get('options', '')}".strip()
        defaults = {
            "connect_timeout": max(2, math.ceil(min(self._timeout, LONGEST_WAIT))),
            "application_name": "queuectl",
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        }
        where = {"host": address.host, "port": address.port, "user": address.user, "password": address.password}
        present = {name: value for name, value in where.items() if value}
        return make_conninfo(dbname=address.database, **{**defaults, **present, **given})

    def create(self) -> None:
        """Databases are made by their administrators."""

    def explain(self, error: Exception) -> Fault | None:
        return explain(error)

    def about(self, session: Session) -> dict[str, str]:
        names = ("server_version", "synchronous_commit", "fsync")
        found = {name: session.execute(f"SHOW {name}", {}).rows[0][0] for name in names}
        return {
            "server": f"PostgreSQL {found['server_version']}",
            "durability": f"push: synchronous_commit={found['synchronous_commit']}, fsync={found['fsync']};"
            " finished jobs: within moments",
        }

    def concerns(self, session: Session) -> list[Concern]:
        return list(concerns(session, self._address))

    def largest(self, session: Session) -> int | None:
        return 1_000_000_000


class PostgresSession(Session):
    """One connection, in autocommit."""

    lines_at_once = 1_000

    def __init__(self, connection: Bounded, grammar: Grammar, clock: Clock | None) -> None:
        super().__init__(grammar, clock)
        self._connection = connection
        self._cursor = connection.cursor()
        self._turn = Prepared(connection, "queuectl_turn", *grammar.numbered(TURN))
        self._relaxed = Prepared(connection, "queuectl_relaxed_turn", *grammar.numbered(TURN + RELAX))
        one = DELAY.sub("CAST(:delay AS double precision)", grammar.worded(texts.PUSH + texts.PUSH_ROW))
        self._push_one = Prepared(connection, "queuectl_push_one", *grammar.numbered(one))
        self._push_many = Prepared(
            connection, "queuectl_push", *grammar.numbered(PUSH_MANY), binary=("queues", "payloads")
        )
        self._noted: dict[str, float] = {}
        self._bookmarks = Bookmarks()

    def promise_durability(self) -> None:
        """A push waits for the disk even where the server's default does not."""
        self.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
            {},
        )

    def execute(self, sql: str, values: Mapping[str, Any]) -> Answer:
        cursor = self._cursor.execute(sql, values or None)
        return Answer(cursor.fetchall() if cursor.description else [], cursor.rowcount)

    def insert(self, lines: Sequence[Line]) -> None:
        encoding = self._connection.info.encoding
        if len(lines) == 1:
            [(queue, payload, delay)] = lines
            self._push_one(self._dated({"queue": queue, "payload": payload.encode(encoding), "delay": delay}))
            return
        queues, payloads, delays = zip(*lines, strict=True)
        values = {
            "queues": text_array([queue.encode() for queue in queues]),
            "payloads": text_array([payload.encode(encoding) for payload in payloads]),
            "delays": "{" + ",".join(map(repr, delays)) + "}",
        }
        self._push_many(self._dated(values))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._cursor.execute("BEGIN")
        try:
            yield
            self._cursor.execute("COMMIT")
        except BaseException:
            if not self._connection.closed:
                self._cursor.execute("ROLLBACK")
            raise

    def turn(self, turn: Turn, *, alone: bool) -> Haul:
        if not alone:
            return self._take(turn, [START] * len(turn.queues), self._turn)
        if turn.room <= 0:
            return self._take(turn, [START] * len(turn.queues), self._relaxed)
        places = self._bookmarks.of(turn.queues)
        haul = self._take(turn, places, self._relaxed)
        self._bookmarks.keep(haul.rows, turn.room)
        if len(haul.rows) < turn.room and any(place != START for place in places):
            return self._filled(turn, haul)
        return haul

    def _filled(self, turn: Turn, haul: Haul) -> Haul:
        """With what stands in front of the bookmarks, as long as that is no risk for what has been reserved."""
        rest = turn._replace(finished=(), room=turn.room - len(haul.rows))
        try:
            more = self._take(rest, [START] * len(turn.queues), self._relaxed)
        except psycopg.Error:
            if not haul.rows:
                raise  # the finished are then sent again, and gone
            return haul
        return Haul(haul.hits, in_order([*haul.rows, *more.rows], turn.queues))

    def _take(self, turn: Turn, places: Sequence[Place], statement: Prepared) -> Haul:
        values = {
            "ids": array([str(row) for row, _ in turn.finished]),
            "tokens": array([token for _, token in turn.finished]),
            "queues": array(turn.queues),
            "since": array([str(since) for since, _ in places]),
            "after": array([str(after) for _, after in places]),
            "room": turn.room,
            "token": turn.token,
            "lease": turn.lease,
        }
        found = statement(self._dated(values))
        gone = {(int(row), token.decode()) for row, queue, token, *_ in found if queue is None}
        rows = [
            Row(int(row), queue.decode(), payload, int(attempts), int(at))
            for row, queue, payload, attempts, at in found
            if queue is not None
        ]
        return Haul([token in gone for token in turn.finished], in_order(rows, turn.queues))

    def announce(self, queues: Iterable[str]) -> None:
        now = time.monotonic()
        due = [queue for queue in queues if now - self._noted.get(queue, -1.0) >= BETWEEN_NOTES]
        self._noted.update(dict.fromkeys(due, now))
        for queue in due:
            with contextlib.suppress(psycopg.Error):  # the job is stored; a note only makes it start sooner
                self._cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, self._note(queue)))

    def listen(self) -> None:
        self._cursor.execute(f"LISTEN {CHANNEL}")

    def fileno(self) -> int:
        return self._connection.fileno()

    def announced(self, queues: Iterable[str]) -> bool:
        """Was there a note about one of these queues? Never waits."""
        wanted = {self._note(queue).encode() for queue in queues}
        raw = self._connection.pgconn
        raw.consume_input()
        found = False
        while (note := raw.notifies()) is not None:
            found = found or note.extra in wanted
        return found

    def _note(self, queue: str) -> str:
        return f"{self.grammar.worded('{jobs}')}:{queue}"

    @property
    def lost(self) -> bool:
        return bool(self._connection.closed)

    def alive(self) -> bool:
        try:
            self._cursor.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self._connection.close()


def engine(address: Address, grammar: Grammar, clock: Clock | None, timeout: float) -> PostgresEngine:
    return PostgresEngine(address, grammar, clock, timeout)
