"""Jobs for a store that is away: kept in another one, carried over when it is back.

An outbox is the `outbox` of a connection: another connection, to a database that the application can always reach,
usually its own. What is kept there lies in ordinary queues, `outbox:CONNECTION:QUEUE`, where `monitor` shows it.
A push whose reply was lost may have arrived all the same; so every push on this way carries a key made of the job's
uuid, and the store knows it again when the job comes a second time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import ClassVar

from queuectl.drivers.contract import Driver, Joined, Reserved, Settlement
from queuectl.errors import ConfigurationError, DriverUnavailable, MalformedPayload, QueuectlError, StoreFull
from queuectl.jobs.locks import lock_in
from queuectl.jobs.outcome import Done, Entry, Failed, FailedRecord, Outcome, Release, Unique
from queuectl.jobs.payload import decode, identity
from queuectl.jobs.problem import problem_of
from queuectl.transactions import Caller

logger = logging.getLogger("queuectl.outbox")
REMEMBERED = 3600.0
"""Seconds for which a store knows a pushed job again."""
BREAK = 5.0
"""Seconds for which a store that failed once is not asked again."""
SHARE = 20.0
"""Nor for this many times as long as the failure took: producers spend a twentieth of their time on it at most."""
BATCH = 100
A_TURN = 0.2
"""Seconds that a relay carries jobs before it lets its worker do something else."""
PATIENCE = 30.0
"""Seconds between two looks into an outbox that cannot be read."""
AWAY = (DriverUnavailable, StoreFull)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Where the jobs of one connection are kept while its own store does not take them."""

    store: Driver
    connection: str

    def queue(self, queue: str) -> str:
        """The queue of the outbox that stands for a queue of the connection."""
        return f"{self._prefix}{queue}"

    def meant(self, kept_in: str) -> str:
        """The queue of the connection that a queue of the outbox stands for."""
        return kept_in.removeprefix(self._prefix)

    def queues(self) -> list[str]:
        """The queues of the connection for which something is kept here."""
        return [self.meant(name) for name, counts in self.store.counts().items() if self._holds(name) and counts.size]

    def keep(self, entries: Sequence[Entry]) -> list[str]:
        return self.store.push([entry._replace(queue=self.queue(entry.queue)) for entry in entries])

    def join(self, caller: Caller) -> JoinedOutbox:
        """The outbox as part of a transaction of the application's; `CannotJoin` if that is not to its store."""
        return JoinedOutbox(self, self.store.join(caller))

    def _holds(self, queue: str) -> bool:
        return queue.startswith(self._prefix)

    @property
    def _prefix(self) -> str:
        return f"outbox:{self.connection}:"


@dataclass(frozen=True, slots=True)
class JoinedOutbox:
    """An outbox within a transaction of the application's."""

    outbox: Outbox
    store: Joined
    control: None = None

    def push(self, entries: Sequence[Entry]) -> list[str]:
        """Kept for the connection, if the transaction commits; a relay carries them there, and takes unique keys."""
        return self.store.push([entry._replace(queue=self.outbox.queue(entry.queue), unique=None) for entry in entries])

    def finish(self, receipt: str, payload: bytes, done: Done) -> bool:
        return self.store.finish(receipt, payload, done)

    def holds(self, receipt: str) -> bool:
        return self.store.holds(receipt)


class SurePush:
    """Pushes to a store, or into its outbox: a job is refused only if neither takes it. May be shared by threads."""

    def __init__(self, driver: Driver, outbox: Outbox) -> None:
        """*driver* should give up soon: somebody waits for each failure, though one at a time."""
        self._driver, self._outbox = driver, outbox
        self._away = False
        self._ask_again_at = 0.0

    def push(self, entries: Sequence[Entry]) -> list[str]:
        """As `Driver.push`; raises as it does if the outbox fails as well, and for what is no outage at once."""
        known = [_recognisable(entry) for entry in entries]
        if monotonic() < self._ask_again_at:
            return self._outbox.keep(known)
        if self._away:
            self._ask_again_at = monotonic() + BREAK  # the others need not wait for what this one tries
        started = monotonic()
        try:
            uuids = self._driver.push(known)
        except AWAY as error:
            self._lost(error, took=monotonic() - started)
            return self._keep(known, error)
        self._found()
        return uuids

    def _keep(self, entries: Sequence[Entry], why: QueuectlError) -> list[str]:
        try:
            return self._outbox.keep(entries)
        except QueuectlError as error:
            error.add_note(f"It was to keep the job because of this: {why}")
            raise

    def _lost(self, error: QueuectlError, *, took: float) -> None:
        self._ask_again_at = monotonic() + max(BREAK, SHARE * took)
        if not self._away:
            logger.warning("Jobs go to the outbox [%s] for now. %s", self._outbox.store.name, error)
        self._away = True

    def _found(self) -> None:
        if self._away:
            logger.warning("Jobs go to [%s] again.", self._driver.name)
            self._away, self._ask_again_at = False, 0.0


def _recognisable(entry: Entry) -> Entry:
    return entry if entry.unique else entry._replace(unique=Unique(f"pushed:{entry.uuid}", REMEMBERED))


def _own_key(payload: bytes) -> Unique | None:
    """The unique key of the job itself: by it a push whose reply was lost is recognised as well."""
    try:
        lock = lock_in(decode(payload).more)
    except MalformedPayload:
        return None
    return None if lock is None else lock.unique


class OutboxRelay:
    """Carries what an outbox keeps for some queues to where it is meant to be, for a short while at each call."""

    every: ClassVar[float] = 1.0
    """Seconds between two calls: what transactions of the application have put there is new, and waited for."""

    def __init__(self, outbox: Outbox, target: Driver, queues: Sequence[str], note: Callable[[str], object]) -> None:
        self._outbox, self._target, self._note = outbox, target, note
        self._queues = [outbox.queue(queue) for queue in queues]
        self._unreadable = False
        self._look_again_at = 0.0
        self.carried = 0

    def __call__(self) -> bool:
        """Whether more is waiting. Raises only what the target raises; an outbox that is away is noted and left alone
        for half a minute."""
        deadline = monotonic() + A_TURN
        while self._carry_some():
            if monotonic() > deadline:
                return True
        return False

    def _carry_some(self) -> bool:
        """Reserve here, push there, settle here: killed in between, the push is made again and recognised."""
        if monotonic() < self._look_again_at:
            return False
        kept = self._exchange([], room=BATCH)
        if not kept:
            return False
        try:
            outcomes = self._pushed(kept)
        except QueuectlError:
            self._exchange([Settlement(one, Release(spared=True)) for one in kept])
            raise
        self._exchange([Settlement(one, outcome) for one, outcome in zip(kept, outcomes, strict=True)])
        self.carried += sum(isinstance(outcome, Done) for outcome in outcomes)
        return True

    def _exchange(self, settlements: Sequence[Settlement], *, room: int = 0) -> list[Reserved]:
        try:
            _, kept = self._outbox.store.exchange(settlements, self._queues, room)
        except QueuectlError as error:
            self._cannot_read(error)
            return []
        if self._unreadable:
            self._note("The outbox is emptied again.")
            self._unreadable = False
        return kept

    def _cannot_read(self, error: QueuectlError) -> None:
        if not self._unreadable:
            remedy = f" {error.hint}" if error.hint else ""
            self._note(f"What the outbox [{self._outbox.store.name}] keeps stays there for now: {error}{remedy}")
        self._unreadable, self._look_again_at = True, monotonic() + PATIENCE

    def _pushed(self, kept: Sequence[Reserved]) -> list[Outcome]:
        """What is to become of each: all pushed at once, or, where one of them is refused for itself, one by one."""
        entries = [self._entry(one) for one in kept]
        try:
            self._target.push(entries)
        except (*AWAY, ConfigurationError):
            raise
        except QueuectlError:
            return [self._pushed_alone(one, entry) for one, entry in zip(kept, entries, strict=True)]
        return [Done()] * len(kept)

    def _entry(self, kept: Reserved) -> Entry:
        uuid, _ = identity(kept.payload)
        return _recognisable(Entry(self._outbox.meant(kept.queue), kept.payload, uuid, unique=_own_key(kept.payload)))

    def _pushed_alone(self, kept: Reserved, entry: Entry) -> Outcome:
        try:
            self._target.push([entry])
        except (*AWAY, ConfigurationError):
            return Release(spared=True)
        except QueuectlError as error:
            return Failed(self._refused(kept, entry, error))
        return Done()

    def _refused(self, kept: Reserved, entry: Entry, error: QueuectlError) -> FailedRecord:
        return FailedRecord(
            uuid=entry.uuid,
            connection=self._outbox.connection,
            queue=entry.queue,
            payload=kept.payload,
            job=identity(kept.payload)[1],
            attempts=0,
            problem=problem_of(error),
            failed_at=time(),
        )
