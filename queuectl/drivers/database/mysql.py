"""MySQL and MariaDB, through PyMySQL: a turn is one packet of several statements."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from queuectl.clock import Clock
from queuectl.drivers.concern import Concern
from queuectl.drivers.database import texts
from queuectl.drivers.database.address import Address
from queuectl.drivers.database.grammar import Grammar
from queuectl.drivers.database.mysql_concerns import concerns
from queuectl.drivers.database.mysql_faults import explain
from queuectl.drivers.database.mysql_wire import Question, quoted
from queuectl.drivers.database.session import Answer, Fault, Haul, Line, Row, Session, Turn, in_order
from queuectl.drivers.database.watch import PollingWatch

FINISH = "DELETE FROM {jobs} WHERE id = :id AND reserved_by = :token AND reserved_at <= lease_until"
# Found first, then each by its key: a small table would be read whole, and what others have locked be waited for.
TAKE = """
UPDATE (
    SELECT id FROM {jobs} WHERE @room > 0 AND queue = :queue AND reserved_at IS NULL AND available_at <= {today}
    ORDER BY {ready_order} LIMIT :room FOR UPDATE SKIP LOCKED
) AS ready STRAIGHT_JOIN {jobs} FORCE INDEX (PRIMARY) ON {jobs}.id = ready.id
SET reserved_at = {today}, reserved_by = :token, lease_until = {now} + :lease, attempts = {attempts_more}
"""
TAKE_FIRST = TAKE.replace("@room > 0 AND ", "")
# Where an earlier queue may have filled a part of the room: no more than is left of it.
TAKE_REST = """
UPDATE (
    SELECT id, ROW_NUMBER() OVER (ORDER BY {ready_order}) AS place FROM (
        SELECT id, available_at FROM {jobs}
        WHERE @room > 0 AND queue = :queue AND reserved_at IS NULL AND available_at <= {today}
        ORDER BY {ready_order} LIMIT :room FOR UPDATE SKIP LOCKED
    ) AS found
) AS ready STRAIGHT_JOIN {jobs} FORCE INDEX (PRIMARY) ON {jobs}.id = ready.id AND ready.place <= @room
SET reserved_at = {today}, reserved_by = :token, lease_until = {now} + :lease, attempts = {attempts_more}
"""
LEFT = "SET @room = @room - ROW_COUNT()"
TAKEN = "SELECT id, queue, {payload}, attempts, available_at FROM {jobs} WHERE reserved_by = :token"
SETTINGS = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;"
    " SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',"
    " innodb_lock_wait_timeout = %(wait)s, lock_wait_timeout = %(wait)s"
)
FACTS = (
    "SELECT @@max_allowed_packet, (SELECT column_type FROM information_schema.columns WHERE table_schema ="
    " COALESCE(%(schema)s, DATABASE()) AND table_name = %(table)s AND column_name = 'attempts'),"
    " (SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = COALESCE(%(schema)s, DATABASE())"
    " AND table_name = %(table)s AND index_name = CONCAT(%(table)s, '_ready_index'))"
)
ATTEMPTS = {"tinyint": 127, "tinyint unsigned": 255, "smallint": 32_767, "smallint unsigned": 65_535}
OPTIONS = ("unix_socket", "ssl_ca", "ssl_cert", "ssl_key")
LONGEST_WAIT = 5
ONE_MB = 1_048_576


class MysqlEngine:
    """Opens sessions to one database."""

    watch = PollingWatch

    def __init__(self, address: Address, grammar: Grammar, clock: Clock | None, timeout: float) -> None:
        self._address = address
        self._grammar = grammar
        self._clock = clock
        self._timeout = timeout
        self._packet = 0
        """What the server takes in one go; 0 until it has been asked."""

    def open(self) -> MysqlSession:
        address, wait = self._address, min(self._timeout, LONGEST_WAIT)
        connection = pymysql.connect(
            host=address.host or "localhost",
            port=address.port or 3306,
            user=address.user or None,
            password=address.password,
            database=address.database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=max(1, math.ceil(wait)),
            read_timeout=self._timeout,
            write_timeout=self._timeout,
            client_flag=CLIENT.MULTI_STATEMENTS | CLIENT.FOUND_ROWS,
            **_line(address),
        )
        session = MysqlSession(connection, self._grammar, self._clock)
        # Shorter than the time-out of reading, so that it is the server who gives up first, and says why.
        session.packet([SETTINGS % {"wait": LONGEST_WAIT if self._timeout > LONGEST_WAIT else max(1, int(wait) - 1)}])
        self._learn(session)
        session.longest = self._packet
        return session

    def _learn(self, session: MysqlSession) -> None:
        """What this server and this table hold; asked until there is a table."""
        if self._packet:
            return
        schema, _, table = self._grammar.jobs.rpartition(".")
        ((packet, attempts, has_index),) = session.execute(FACTS, {"schema": schema or None, "table": table}).rows
        session.longest = int(packet)
        if attempts is not None:
            self._packet = int(packet)
            kind = str(attempts.decode() if isinstance(attempts, bytes) else attempts)
            self._grammar.learn(most_attempts=_most(kind), ready_order="available_at, id" if has_index else "id")
            session.render()

    def create(self) -> None:
        """Databases are made by their administrators."""

    def explain(self, error: Exception) -> Fault | None:
        return explain(error)

    def about(self, session: Session) -> dict[str, str]:
        text = "SELECT VERSION(), @@innodb_flush_log_at_trx_commit"
        ((version, flush),) = session.execute(text, {}).rows
        return {
            "server": f"{'MariaDB' if 'MariaDB' in version else 'MySQL'} {version}",
            "durability": f"innodb_flush_log_at_trx_commit={flush}",
        }

    def concerns(self, session: Session) -> list[Concern]:
        return list(concerns(session, self._address))

    def largest(self, session: Session) -> int | None:
        return int(session.execute("SELECT @@max_allowed_packet", {}).rows[0][0]) - ONE_MB


def _line(address: Address) -> dict[str, Any]:
    """What the URL says of the way to the server. PyMySQL takes any certificate unless it is told to look."""
    given: dict[str, Any] = {name: value for name, value in address.options if name in OPTIONS}
    if "ssl_ca" in given:
        anybody = "unix_socket" in given or address.option("ssl_verify_identity") == "no"
        given |= {"ssl_verify_cert": True, "ssl_verify_identity": not anybody}
    return given


class MysqlSession(Session):
    """One connection, in autocommit."""

    lines_at_once = 1_000
    longest = 0
    """Bytes of the largest packet; 0: not known."""

    def __init__(self, connection: pymysql.Connection[Any], grammar: Grammar, clock: Clock | None) -> None:
        super().__init__(grammar, clock)
        self._connection = connection
        self._cursor = connection.cursor()
        self.render()

    def render(self) -> None:
        """Again, when the grammar has learned."""
        self._finish, self._taken = self.grammar.render(FINISH), self.grammar.render(TAKEN)
        self._first, self._take, self._rest = map(self.grammar.render, (TAKE_FIRST, TAKE, TAKE_REST))

    def execute(self, sql: str, values: Mapping[str, Any]) -> Answer:
        return self.packet([self._filled(sql, values) if values else sql])[0]

    def packet(self, statements: Sequence[str]) -> list[Answer]:
        """Send these together and read what each gave."""
        sent = ";".join(statements)
        if self.longest and len(sent) * 4 > self.longest and len(sent.encode()) > self.longest:
            raise pymysql.DataError(1153, "longer than max_allowed_packet")
        self._cursor.execute(sent)
        answers = [self._answer()]
        while self._cursor.nextset():
            answers.append(self._answer())
        return answers

    def _answer(self) -> Answer:
        cursor = self._cursor
        return Answer(list(cursor.fetchall()) if cursor.description else [], cursor.rowcount)

    def insert(self, lines: Sequence[Line]) -> None:
        values, first = self._dated({}), []
        now, today = (self._filled(self.grammar.render(word), values) for word in ("{now}", "{today}"))
        if len(lines) > 1:  # in the rows it would be worked out for each: two fifths of the time
            first = [f"SET @now = {now}, @today = {today}"]
            now, today = "@now", "@today"
        rows = [
            f"({quoted(queue)}, {quoted(payload)}, 0, {_ready_at(delay, now, today)}, {today})"
            for queue, payload, delay in lines
        ]
        self.packet([*first, self.grammar.render(texts.PUSH) + ", ".join(rows)])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.packet(["BEGIN"])
        try:
            yield
            self.packet(["COMMIT"])
        except BaseException:
            self._roll_back()
            raise

    def turn(self, turn: Turn, *, alone: bool) -> Haul:
        statements = [self._filled(self._finish, {"id": row, "token": token}) for row, token in turn.finished]
        if turn.room > 0 and turn.queues:
            statements += [*self._taking(turn), self._filled(self._taken, {"token": turn.token})]
        if not statements:
            return Haul([], [])
        answers = self._at_once(statements) if alone else self.packet(statements)
        hits = [answer.count > 0 for answer in answers[: len(turn.finished)]]
        return Haul(hits, in_order([Row._make(row) for row in answers[-1].rows], turn.queues))

    def _taking(self, turn: Turn) -> list[str]:
        values = self._dated({"room": turn.room, "token": turn.token, "lease": float(turn.lease)})
        first, *others = [self._filled(text, {**values, "queue": queue}) for text, queue in self._texts(turn)]
        if not others:
            return [first]
        return [f"SET @room = {int(turn.room)}", first, *(each for other in others for each in (LEFT, other))]

    def _texts(self, turn: Turn) -> Iterator[tuple[str, str]]:
        """What takes from each queue; whether there is still room, only the server knows."""
        first, *others = turn.queues
        yield self._first, first
        for queue in others:
            yield self._rest if turn.room > 1 else self._take, queue

    def _at_once(self, statements: Sequence[str]) -> list[Answer]:
        """A transaction in one packet."""
        try:
            return self.packet(["BEGIN", *statements, "COMMIT"])[1:-1]
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        try:
            self._connection.rollback()
        except pymysql.Error:
            self.close()

    def question(self, text: str, /, **values: Any) -> Callable[[], float]:
        if self._clock is not None:  # whose time is in the text
            return super().question(text, **values)
        return Question(self._connection, self._filled(self.grammar.render(text), values))

    def _filled(self, sql: str, values: Mapping[str, Any]) -> str:
        filled: str = self._cursor.mogrify(sql, values)
        return filled

    def alive(self) -> bool:
        try:
            self._connection.ping(reconnect=False)
        except (pymysql.Error, OSError):
            return False
        return True

    def close(self) -> None:
        if self._connection.open:
            with contextlib.suppress(pymysql.Error, OSError):
                self._connection.close()


def _ready_at(delay: float, now: str, today: str) -> str:
    return f"CAST(CEILING({now} + {float(delay)!r}) AS SIGNED)" if delay > 0 else today


def _most(column_type: str) -> int:
    """`smallint(5) unsigned` and the like, in numbers."""
    kind, _, rest = column_type.partition("(")
    return ATTEMPTS.get(kind.strip() + (" unsigned" if rest.endswith("unsigned") else ""), 65_535)


def engine(address: Address, grammar: Grammar, clock: Clock | None, timeout: float) -> MysqlEngine:
    return MysqlEngine(address, grammar, clock, timeout)
