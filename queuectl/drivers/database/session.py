"""One connection to a database, in the few words that the driver's shared code needs."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias

from queuectl.clock import Clock
from queuectl.drivers.database.grammar import Grammar

if TYPE_CHECKING:
    from queuectl.drivers.concern import Concern
    from queuectl.drivers.database.watch import PollingWatch

Token: TypeAlias = tuple[int, str]
"""A reservation: the row's id and the random text that its reserver wrote into it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave."""

    rows: list[tuple[Any, ...]]
    count: int
    """Rows found by an UPDATE or DELETE, whether or not that changed them."""


class Line(NamedTuple):
    """A job on its way into the table."""

    queue: str
    payload: str
    delay: float


class Turn(NamedTuple):
    """The hot path in values: forget the finished, reserve the next."""

    finished: Sequence[Token]
    queues: Sequence[str]
    room: int
    token: str
    """Goes into the rows that this turn reserves."""
    lease: float


class Row(NamedTuple):
    """A row that a turn reserved."""

    id: int
    queue: str
    payload: str | bytes | None
    attempts: int
    available_at: int


class Haul(NamedTuple):
    """What came of a turn: for each finished one whether its token was good, and the rows reserved, in order."""

    hits: list[bool]
    rows: list[Row]


def in_order(rows: list[Row], queues: Sequence[str]) -> list[Row]:
    """Strictly by queue, then by when each became ready, then by age."""
    if len(rows) > 1:
        place = {queue: number for number, queue in reversed(list(enumerate(queues)))}
        rows.sort(key=lambda row: (place.get(row.queue, len(queues)), row.available_at, row.id))
    return rows


class Fault(Enum):
    """What a client library's error means to us."""

    BUSY = "busy"  # rolled back by a lock or a deadlock: try again at once
    LOST = "lost"  # the connection, or the server behind it
    FULL = "full"
    DATA = "data"
    MISSING = "missing"  # a table or a column
    DENIED = "denied"
    WRONG = "wrong"  # hopeless, for another reason


class Statements(ABC):
    """What runs named texts on a connection, ours or the application's."""

    lines_at_once: ClassVar[int]
    """How many `insert` takes."""

    def __init__(self, grammar: Grammar, clock: Clock | None) -> None:
        self.grammar = grammar
        self._clock = clock

    def run(self, text: str, /, **values: Any) -> Answer:
        """Run a named text; a list stands for one parameter an element."""
        if any(type(value) is list for value in values.values()):
            sql, values = self.grammar.expanded(text, values)
        else:
            sql = self.grammar.render(text)
        return self.execute(sql, self._dated(values))

    def question(self, text: str, /, **values: Any) -> Callable[[], float]:
        """What asks a text for its one number, as often as it is called."""
        return lambda: float(self.run(text, **values).rows[0][0])

    def _dated(self, values: dict[str, Any]) -> dict[str, Any]:
        if self._clock is not None:
            values["now"] = self._clock.now()
        return values

    @abstractmethod
    def execute(self, sql: str, values: Mapping[str, Any]) -> Answer: ...

    @abstractmethod
    def insert(self, lines: Sequence[Line]) -> None:
        """Put these into the table, all or none."""

    @abstractmethod
    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """All or nothing, and fully durable once it has ended; of the application's connection, once that commits."""


class Session(Statements):
    """A connection. It belongs to one thread of one process, and holds no transaction between calls."""

    _pid = -1

    def __init__(self, grammar: Grammar, clock: Clock | None) -> None:
        super().__init__(grammar, clock)
        self._pid = os.getpid()

    def __del__(self) -> None:
        """A thread that ended takes its connection with it; one that was inherited by a fork is not ours to close."""
        if self._pid == os.getpid():
            self.close()

    @abstractmethod
    def turn(self, turn: Turn, *, alone: bool) -> Haul:
        """Take a turn. *alone*: as a transaction of its own, in one trip, which may commit relaxed."""

    def announce(self, queues: Iterable[str]) -> None:
        """Tell idle workers that these queues have work, where the database has a way to."""

    @property
    def files(self) -> Sequence[str]:
        """What is written to when somebody commits, where that can be watched."""
        return ()

    @property
    def lost(self) -> bool:
        """Does our end know already that the connection is gone?"""
        return False

    def alive(self) -> bool:
        """Is a connection that has been idle still there?"""
        return True

    @abstractmethod
    def close(self) -> None: ...


class Engine(Protocol):
    """Opens sessions to one database and explains its errors."""

    watch: ClassVar[type[PollingWatch]]
    """How an idle worker learns of work here."""

    def open(self) -> Session: ...

    def create(self) -> None:
        """Make what a migration fills, where a client can: SQLite's file."""

    def explain(self, error: Exception) -> Fault | None:
        """What an error of the client library means; None if it is not one."""

    def about(self, session: Session) -> dict[str, str]:
        """Server, version, durability."""

    def concerns(self, session: Session) -> list[Concern]:
        """As `Driver.concerns`."""

    def largest(self, session: Session) -> int | None:
        """The longest payload the server takes, in bytes; None where it does not say."""
