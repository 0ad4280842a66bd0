"""The driver contract: what a store owes the house. Small, batched, and blind to what it stores.

A driver keeps payload bytes and knows nothing of job classes. `queuectl.testing.contract` proves these promises for any
driver. All times are seconds by the store's own clock, unless the driver was built with a `Clock`.

A driver object may be shared by threads and survives a fork: connections are opened lazily, one a thread and process.
Every call is bounded in time (`call_timeout`). Errors of client libraries leave a driver as `queuectl.errors` only:
`DriverUnavailable` (worth retrying: network, restart, lock time-out, deadlock, failover), `StoreFull`, `DataRefused`
(the text itself was refused; the exchange changed nothing), `ConfigurationError` and its kinds (hopeless: credentials,
unknown database, missing table). A call that raised has either been applied whole or not at all, and may be sent again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, Protocol, TypeVar

from queuectl.errors import CannotJoin
from queuectl.jobs.outcome import Done, Entry, FailedRecord, Outcome

if TYPE_CHECKING:
    from queuectl.clock import Clock
    from queuectl.config import Connection
    from queuectl.drivers.concern import Concern
    from queuectl.drivers.control import ControlStore
    from queuectl.drivers.removed import RemovedStore
    from queuectl.transactions import Caller

T = TypeVar("T")
State = Literal["ready", "delayed", "reserved"]


class Reserved(NamedTuple):  # as a frozen dataclass it would cost three times as much to make, for each job
    """A job handed to one worker, with the token that proves it is still that worker's."""

    queue: str
    id: str
    """The store's short id where it has one (a row number), else the payload's id."""
    payload: bytes
    attempts: int
    """Reservations so far that count, this one included."""
    token: Any
    """Opaque to everyone but the driver; a stale one changes nothing."""


class Settlement(NamedTuple):
    """What is to become of one reservation."""

    reserved: Reserved
    outcome: Outcome


class Verdict(Enum):
    """The store's answer to a settlement."""

    APPLIED = "applied"
    GONE = "gone"  # the token is stale: nothing was changed


@dataclass(frozen=True, slots=True)
class Counts:
    """How full a queue is."""

    pending: int = 0
    delayed: int = 0
    reserved: int = 0
    oldest: float | None = None
    """When the oldest pending job became ready, seconds since the epoch."""

    @property
    def size(self) -> int:
        return self.pending + self.delayed + self.reserved


@dataclass(frozen=True, slots=True)
class Stored:
    """A job as it lies in the store, for people to look at."""

    queue: str
    id: str
    payload: bytes
    attempts: int
    state: State
    at: float
    """When it is due (ready, delayed) or when its lease ends (reserved)."""
    parked_at: float | None = None
    """When it was first parked, of a job that waits because of that."""
    holder: str = ""
    """Who reserved it, where the store knows."""


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A row of the failed store. `payload` and `text` are empty in listings, which never load bodies."""

    id: str
    """Short integer where the store has them, else the uuid."""
    uuid: str
    connection: str
    queue: str
    job: str
    error: str
    """Exception type."""
    message: str
    """First line of the exception's message, capped."""
    attempts: int
    failed_at: float
    foreign: bool = False
    """A PHP job's row: verbs leave it alone unless told otherwise."""
    fingerprint: str = ""
    """What it shares with failures of the same cause (`queuectl.jobs.fingerprint`)."""
    place: str = ""
    """The application's innermost frame, where it is known: `orders.py:charge`."""
    payload: bytes = b""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing; `cursor` continues it, None at its end."""

    items: list[T]
    cursor: str | None


class Watch(Protocol):
    """Tells an idle worker that work may have come. On a connection of its own; a hint, never the truth."""

    def fileno(self) -> int | None:
        """A descriptor that turns readable when `drain` should be asked, or None. May change after any call."""

    def next_check_in(self) -> float:
        """Arm the watch, and return the seconds after which `drain` must be asked even if `fileno` stays silent.

        Asked each time the worker is about to wait, after an exchange that found nothing. Never more than a second:
        leases run out and delayed jobs fall due without anybody saying so.
        """

    def drain(self) -> bool:
        """Take what was announced; True when an exchange is worth its cost. Raises nothing but `DriverUnavailable`."""

    def close(self) -> None: ...


class Joined(Protocol):
    """A store as a transaction of the application sees it: what is done here is done if that commits."""

    @property
    def control(self) -> ControlStore | None:
        """The control store within the transaction; None where jobs are only kept for another store."""

    def push(self, entries: Sequence[Entry]) -> list[str]:
        """As `Driver.push`; durable once the transaction is. Client errors leave as they are: they are the caller's."""

    def finish(self, receipt: str, payload: bytes, done: Done) -> bool:
        """Settle a reservation, known by its receipt; False if it was stale, and nothing has been changed."""

    def holds(self, receipt: str) -> bool:
        """Is this reservation still what counts?"""


class FailedStore(ABC):
    """Where jobs that failed for good are kept. A key is a uuid, or the short id where the store has one."""

    @abstractmethod
    def add(self, records: Sequence[FailedRecord]) -> None:
        """Keep these records durably; of two of one uuid the newer failure stays, whichever comes first."""

    @abstractmethod
    def page(self, *, queue: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[FailedJob]:
        """Newest first, without bodies. Keyset pages: rows that come or go meanwhile never shift the others."""

    @abstractmethod
    def get(self, key: str) -> FailedJob | None:
        """One failed job with payload and text."""

    @abstractmethod
    def count(self) -> int: ...

    @abstractmethod
    def retry(self, keys: Sequence[str], *, watch: str | None = None) -> list[str]:
        """Move these back to the queues of this same store, each atomically, and return the uuids that moved.

        Attempts start at 0, the payload gets a new `id` and keeps its uuid. A key that is not here (or that somebody
        else is retrying) is left out of the answer: two calls at once never push a job twice. *watch*: under which
        name somebody waits for their ends.
        """

    @abstractmethod
    def forget(self, keys: Sequence[str], *, keep: str | None = None) -> list[str]:
        """Delete these and return the uuids that this call deleted. *keep*: an operation's id (`Driver.removed`)."""

    @abstractmethod
    def flush(self, *, before: float | None = None, keep: str | None = None) -> int:
        """Delete all, or those that failed at or before a time; how many. In batches, never one huge transaction.

        *keep*: an operation's id (`Driver.removed`).
        """


class Driver(ABC):
    """One configured connection to a store of queues."""

    immediate: ClassVar[bool] = False
    """True: a dispatch runs the job at once; there is nothing for a worker to do."""

    name: str
    """The connection's name in the configuration."""
    retry_after: float
    """The lease in seconds: how long a dead host's jobs wait."""
    failed: FailedStore
    control: ControlStore
    removed: RemovedStore
    """What was deleted with `keep`, the id of an operation: it goes there in the same step."""

    @classmethod
    @abstractmethod
    def from_config(cls, connection: Connection, *, clock: Clock | None = None) -> Driver:
        """Build the driver without touching the network. With a *clock*, its `now()` is bound wherever the store's own
        clock would be used, in the same place of the same statement or script."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the store is, for people, without any secret; two connections to the same tables or keys share it."""

    @abstractmethod
    def check(self) -> None:
        """Reach the store and find its tables; raises `DriverUnavailable` or a `ConfigurationError`."""

    @abstractmethod
    def push(self, entries: Sequence[Entry]) -> list[str]:
        """Accept these jobs, fully durable when the call returns, all or none (per queue on a Redis cluster).

        Returns, in order, the uuid that now stands for each entry: its own, or, where its `unique` key was taken, that
        of the job that holds the key (nothing was pushed then). Raises `PayloadTooLarge` before anything is sent.
        """

    @abstractmethod
    def unlock(self, queue: str, key: str, *, holder: str) -> bool:
        """Free a unique key before its job has ended, if this job (its uuid) still holds it; whether it did.

        *queue*: where the job was pushed. What ends a job frees its keys in the same step (`Done.unlock`).
        """

    @abstractmethod
    def exchange(
        self, settlements: Sequence[Settlement], queues: Sequence[str], room: int
    ) -> tuple[list[Verdict], list[Reserved]]:
        """Make outcomes durable, then reserve up to *room* ready jobs, *queues* strictly left to right, in one trip.

        The hot path. Each settlement gets a verdict in order; a stale token is GONE and changes nothing. Each reserved
        job gets a lease of `retry_after` seconds and a token of its own. Within a queue the order is by when a job
        became ready. Expired leases are swept on the way, at the latest every second.
        """

    @abstractmethod
    def renew(self, reservations: Sequence[Reserved]) -> list[Reserved]:
        """Give each a fresh lease of `retry_after` seconds, and return those that are no longer the caller's.

        Never waits for one that the job's own transaction is settling; nobody else can take that meanwhile.
        """

    @abstractmethod
    def parked_for(self, reserved: Reserved) -> float:
        """Seconds since this job was first parked; 0 if it never was."""

    def receipt(self, reserved: Reserved) -> str | None:
        """The token as a line of text, with which the job's own transaction can settle it; empty where none can, None
        where there is nothing that one would be too late for."""
        return ""

    def join(self, caller: Caller) -> Joined:
        """This store within a transaction of the application; `CannotJoin` if that is not to this very store."""
        raise CannotJoin(
            f"[{self.name}] keeps its jobs where no transaction of a database reaches.",
            hint="Give the connection an `outbox` in the transaction's database, or dispatch with .after_commit().",
        )

    @abstractmethod
    def watch(self, queues: Sequence[str]) -> Watch: ...

    @abstractmethod
    def counts(self, queues: Iterable[str] | None = None) -> dict[str, Counts]:
        """Counts of the named queues (zeros for empty ones), or of every queue there is."""

    @abstractmethod
    def page(self, queue: str, state: State, *, cursor: str | None = None, limit: int = 100) -> Page[Stored]:
        """What lies in a queue in this state, soonest first, in keyset pages."""

    @abstractmethod
    def find(self, keys: Sequence[str]) -> list[Stored]:
        """The jobs of these uuids (or short ids), wherever they wait or run, in any order; unknown keys are left out.

        May read every queue, in bounded memory. A look at a moment: a job that moves meanwhile may be missed.
        """

    @abstractmethod
    def cancel(self, jobs: Sequence[Stored], *, keep: str | None = None) -> list[Stored]:
        """Delete those that are still waiting exactly as they were found, each in one step, and return them.

        One that is or has been reserved since, or that has changed otherwise, is left alone.
        """

    @abstractmethod
    def clear(self, queue: str, *, keep: str | None = None) -> int:
        """Delete every ready, delayed and reserved job of a queue; how many. Running ones then settle as GONE."""

    @abstractmethod
    def about(self) -> Mapping[str, str]:
        """Facts for `about`: server and version, durability, place."""

    @abstractmethod
    def concerns(self) -> Sequence[Concern]:
        """What of the server's settings, and of the way to it, can cost jobs or let strangers in; best if empty."""

    @abstractmethod
    def now(self) -> float:
        """The time, seconds since the epoch, by the clock that delays and leases follow."""

    @abstractmethod
    def close(self) -> None:
        """Close this process's connections."""
