"""Below psycopg's cursors: a connection whose every wait ends, and statements spoken straight to libpq."""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

T = TypeVar("T")
LONGEST_WAIT = 5.0
TEXT = 25
"""The type's number in every PostgreSQL."""
ARRAY_OF_TEXTS = struct.Struct("!iiiii")
"""How one begins in binary: dimensions, whether there are nulls, the elements' type, their number, the first index."""
LENGTH = struct.Struct("!i")


class Bounded(psycopg.Connection[tuple[Any, ...]]):
    """A server that accepts bytes and never answers is as good as gone."""

    patience: float = LONGEST_WAIT

    def wait(self, gen: Generator[Any, Any, T], *_: Any, **__: Any) -> T:
        """What psycopg calls for everything it does on an open connection."""
        deadline = time.monotonic() + self.patience
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(self.ready(wanted, deadline))
        except StopIteration as end:
            answer: T = end.value
            return answer
        except BaseException:
            self.spoil()
            raise

    def ready(self, wanted: int, deadline: float) -> int:
        """Which of reading (1) and writing (2) is possible; `OperationalError` when the deadline has passed."""
        poll = select.poll()
        poll.register(self.pgconn.socket, (wanted & 1 and select.POLLIN) | (wanted & 2 and select.POLLOUT))
        found = poll.poll(max(deadline - time.monotonic(), 0.0) * 1000)
        if not found:
            raise psycopg.OperationalError(f"no answer within {self.patience:g} seconds")
        event = found[0][1]
        return (event & select.POLLIN and 1) | (event & select.POLLOUT and 2) or wanted  # a hang-up is libpq's to find

    def spoil(self) -> None:
        """Close the connection if it is in the middle of the protocol, where it is of no use to anybody."""
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            self.pgconn.finish()


class Prepared:
    """A statement of the hot path. Texts go out and come back as bytes: a third of a cursor's time."""

    def __init__(
        self, connection: Bounded, name: str, sql: str, names: Sequence[str], *, binary: Collection[str] = ()
    ) -> None:
        """*binary*: parameters whose values are bytes in PostgreSQL's own form."""
        self._connection = connection
        self._name = name.encode()
        self._sql = sql.encode()
        self._names = names
        self._formats = [name in binary for name in names]
        self._is_prepared = False

    def __call__(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows, each value as the server's text or None."""
        raw, given = self._connection.pgconn, [values[name] for name in self._names]
        sent = [value if type(value) is bytes else str(value).encode() for value in given]
        if not self._is_prepared:
            self._ask(lambda: raw.send_prepare(self._name, self._sql))
            self._is_prepared = True
        result = self._ask(lambda: raw.send_query_prepared(self._name, sent, self._formats))
        columns = range(result.nfields)
        return [tuple([result.get_value(row, column) for column in columns]) for row in range(result.ntuples)]

    def _ask(self, send: Callable[[], None]) -> PGresult:
        deadline = time.monotonic() + self._connection.patience
        try:
            send()
            result = self._answer(deadline)
        except BaseException:
            self._connection.spoil()
            raise
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            raise error_from_result(result)
        return result

    def _answer(self, deadline: float) -> PGresult:
        """The one result, read until the server is ready for the next question."""
        connection, raw = self._connection, self._connection.pgconn
        while raw.flush():
            if connection.ready(3, deadline) & 1:
                raw.consume_input()
        last: PGresult | None = None
        while True:
            while raw.is_busy():
                connection.ready(1, deadline)
                raw.consume_input()
            found = raw.get_result()
            if found is None:
                break
            last = found
        if last is None:
            raise psycopg.OperationalError("the server closed the connection")
        return last


def array(texts: Sequence[str]) -> str:
    """PostgreSQL's own way of writing an array."""
    return "{" + ",".join(['"' + text.replace("\\", r"\\").replace('"', r"\"") + '"' for text in texts]) + "}"


def text_array(texts: Sequence[bytes]) -> bytes:
    """An array of texts in binary: nothing in it has to be escaped, and the server does not look for quotes."""
    words = [ARRAY_OF_TEXTS.pack(1, 0, TEXT, len(texts), 1)] * (2 * len(texts) + 1)
    words[1::2] = map(LENGTH.pack, map(len, texts))
    words[2::2] = texts
    return b"".join(words)
