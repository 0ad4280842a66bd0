"""The reference driver: the whole contract in memory, for one process.

`sync` runs each dispatched job at once, so no worker ever asks it for anything. It keeps every promise all the same:
who writes a driver reads this file first, and `queuectl.testing.contract` holds both to the same tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from threading import RLock
from typing import ClassVar, assert_never

from queuectl.clock import Clock, SystemClock
from queuectl.config import Connection
from queuectl.drivers.concern import Concern
from queuectl.drivers.contract import Counts, Driver, Page, Reserved, Settlement, State, Stored, Verdict
from queuectl.drivers.control import ControlStore
from queuectl.drivers.memory import MemoryFailedStore, MemoryKeyValue
from queuectl.drivers.memory_removed import MemoryRemovedStore, Removed
from queuectl.errors import PayloadTooLarge
from queuectl.jobs.outcome import Completed, Done, Entry, Failed, FailedRecord, Parked, Release
from queuectl.jobs.payload import again, check_queue_name, new_id


@dataclass(slots=True)
class _Job:
    """Everything a driver remembers of one job."""

    number: int
    """Which of two jobs that became ready in the same moment came first."""
    queue: str
    uuid: str
    payload: bytes
    due: float
    """When it is, or became, ready."""
    attempts: int = 0
    token: str | None = None
    """Proves whose it is; None while it waits."""
    lease_until: float = 0.0
    parked_since: float | None = None

    def state(self, now: float) -> State:
        if self.token is not None:
            return "reserved"
        return "ready" if self.due <= now else "delayed"

    @property
    def at(self) -> float:
        return self.due if self.token is None else self.lease_until

    @property
    def place(self) -> tuple[float, int]:
        """Where it stands in its queue."""
        return self.at, self.number

    def stored(self, now: float) -> Stored:
        parked = self.parked_since if self.token is None else None
        return Stored(self.queue, str(self.number), self.payload, self.attempts, self.state(now), self.at, parked)


class SyncDriver(Driver):
    """Queues in the memory of this process."""

    immediate: ClassVar[bool] = True

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.name = connection.name
        self.retry_after = connection.retry_after
        self._max_payload = connection.max_payload
        self._clock = clock
        self._lock = RLock()
        self._numbers = count(1)
        self._jobs: dict[int, _Job] = {}
        self._values = MemoryKeyValue(self._lock, clock)
        self.removed = self._removed = MemoryRemovedStore(self._lock, clock)
        self.failed = MemoryFailedStore(self._lock, self._removed, self._revive)
        self.control = ControlStore(self._values)

    @classmethod
    def from_config(cls, connection: Connection, *, clock: Clock | None = None) -> SyncDriver:
        return cls(connection, clock or SystemClock())

    @property
    def place(self) -> str:
        return f"memory of this process ({self.name})"

    def check(self) -> None:
        """Memory is always there."""

    # Pushing

    def push(self, entries: Sequence[Entry]) -> list[str]:
        self._refuse_unfit(entries)
        with self._lock:
            return [self._push(entry) for entry in entries]

    def _refuse_unfit(self, entries: Iterable[Entry]) -> None:
        """All are looked at before the first is stored: all or none."""
        for entry in entries:
            check_queue_name(entry.queue)
            if len(entry.payload) > self._max_payload:
                raise PayloadTooLarge(
                    f"The payload has {len(entry.payload)} bytes; connection {self.name!r} takes {self._max_payload}."
                )

    def _push(self, entry: Entry) -> str:
        """Store it, or return who holds its unique key."""
        if entry.unique is not None:
            lock = f"unique:{entry.unique.key}"
            if not self._values.put_new(lock, entry.uuid, entry.unique.ttl):
                return self._values.get(lock) or entry.uuid
        self._store(entry.queue, entry.uuid, entry.payload, entry.delay)
        return entry.uuid

    def _store(self, queue: str, uuid: str, payload: bytes, delay: float = 0.0) -> None:
        number = next(self._numbers)
        self._jobs[number] = _Job(number, queue, uuid, payload, due=self._clock.now() + delay)

    def unlock(self, queue: str, key: str, *, holder: str) -> bool:
        return self._values.delete(f"unique:{key}", holding=holder)

    # Working

    def exchange(
        self, settlements: Sequence[Settlement], queues: Sequence[str], room: int
    ) -> tuple[list[Verdict], list[Reserved]]:
        self._refuse_unfit(entry for settlement in settlements for entry in _followers(settlement))
        with self._lock:
            verdicts = [self._settle(settlement) for settlement in settlements]
            self._sweep()
            return verdicts, [self._reserve(job) for job in self._next(queues, room)]

    def _settle(self, settlement: Settlement) -> Verdict:
        job = self._held(settlement.reserved)
        if isinstance(settlement.outcome, Completed):
            return Verdict.APPLIED
        if job is None:
            return Verdict.GONE  # before anything is changed: a late worker decides nothing
        match settlement.outcome:
            case Done(then=then, unlock=unlock):
                self._remove(job, unlock)
                for entry in then:
                    self._push(entry)
            case Failed(record=record, unlock=unlock):
                self.failed.add([record])
                self._remove(job, unlock)
            case Release(after=after, spared=spared):
                job.parked_since = None
                self._release(job, after, spared=spared)
            case Parked(after=after):
                job.parked_since = self._clock.now() if job.parked_since is None else job.parked_since
                self._release(job, after, spared=True)
            case never:
                assert_never(never)
        return Verdict.APPLIED

    def _held(self, reserved: Reserved) -> _Job | None:
        """The job, if this reservation is still the one that counts."""
        job = self._jobs.get(int(reserved.id))
        return job if job is not None and job.token == reserved.token else None

    def _remove(self, job: _Job, unlock: Iterable[str]) -> None:
        del self._jobs[job.number]
        for key in unlock:
            self._values.delete(f"unique:{key}", holding=job.uuid)  # its time may be up, and another job may hold it

    def _release(self, job: _Job, after: float, *, spared: bool) -> None:
        job.token = None
        job.due = self._clock.now() + after
        job.attempts -= spared

    def _sweep(self) -> None:
        """Jobs whose worker has not been heard of for a whole lease are ready again; their attempts stay counted."""
        now = self._clock.now()
        for job in self._jobs.values():
            if job.token is not None and job.lease_until <= now:
                job.token = None
                job.due = job.lease_until

    def _next(self, queues: Sequence[str], room: int) -> list[_Job]:
        """The first *room* ready jobs: all of the first queue before any of the second."""
        found = [job for queue in dict.fromkeys(queues) for job in self._lying(queue, "ready")]
        return found[:room]

    def _reserve(self, job: _Job) -> Reserved:
        job.token = new_id()  # random: after a spared attempt the same number of attempts comes up again
        job.attempts += 1
        job.lease_until = self._clock.now() + self.retry_after
        return Reserved(job.queue, str(job.number), job.payload, job.attempts, job.token)

    def renew(self, reservations: Sequence[Reserved]) -> list[Reserved]:
        with self._lock:
            lost = []
            for reserved in reservations:
                job = self._held(reserved)
                if job is None:
                    lost.append(reserved)
                else:
                    job.lease_until = self._clock.now() + self.retry_after
            return lost

    def receipt(self, reserved: Reserved) -> None:
        """The queue ends with the process, and so with whatever transaction it has."""

    def parked_for(self, reserved: Reserved) -> float:
        with self._lock:
            job = self._held(reserved)
            return 0.0 if job is None or job.parked_since is None else self._clock.now() - job.parked_since

    def watch(self, queues: Sequence[str]) -> _Watch:
        return _Watch(self, queues)

    # Operating

    def counts(self, queues: Iterable[str] | None = None) -> dict[str, Counts]:
        with self._lock:
            names = sorted({job.queue for job in self._jobs.values()}) if queues is None else queues
            return {queue: self._count(queue) for queue in names}

    def _count(self, queue: str) -> Counts:
        ready = self._lying(queue, "ready")
        return Counts(
            pending=len(ready),
            delayed=len(self._lying(queue, "delayed")),
            reserved=len(self._lying(queue, "reserved")),
            oldest=ready[0].due if ready else None,
        )

    def _lying(self, queue: str, state: State) -> list[_Job]:
        now = self._clock.now()
        found = [job for job in self._jobs.values() if job.queue == queue and job.state(now) == state]
        return sorted(found, key=lambda job: job.place)

    def page(self, queue: str, state: State, *, cursor: str | None = None, limit: int = 100) -> Page[Stored]:
        with self._lock:
            after = _place_at(cursor)
            jobs = [job for job in self._lying(queue, state) if after is None or job.place > after]
            items = [job.stored(self._clock.now()) for job in jobs[:limit]]
            more = len(jobs) > limit
            return Page(items, f"{jobs[limit - 1].at!r}/{jobs[limit - 1].number}" if more else None)

    def find(self, keys: Sequence[str]) -> list[Stored]:
        with self._lock:
            wanted, now = set(keys), self._clock.now()
            return [job.stored(now) for job in self._jobs.values() if {job.uuid, str(job.number)} & wanted]

    def cancel(self, jobs: Sequence[Stored], *, keep: str | None = None) -> list[Stored]:
        with self._lock:
            found = {stored.id: stored for stored in jobs if self._is_still(stored)}
            self._delete([self._jobs[int(number)] for number in found], keep)
            return list(found.values())

    def _is_still(self, stored: Stored) -> bool:
        """Does it wait, just as it was found? That it has become due meanwhile changes nothing."""
        job = self._jobs.get(int(stored.id))
        now = job.stored(self._clock.now()) if job is not None and job.token is None else None
        return now is not None and now == replace(stored, state=now.state)

    def clear(self, queue: str, *, keep: str | None = None) -> int:
        with self._lock:
            gone = [job for job in self._jobs.values() if job.queue == queue]
            self._delete(gone, keep)
            return len(gone)

    def _delete(self, jobs: Sequence[_Job], keep: str | None) -> None:
        for job in jobs:
            del self._jobs[job.number]
        self._removed.keep(keep, [Removed(partial(self._put_back, job), running=job.token is not None) for job in jobs])

    def _put_back(self, job: _Job) -> bool:
        self._jobs[job.number] = replace(job, token=None)
        return True

    def about(self) -> Mapping[str, str]:
        return {"place": self.place, "durability": "none: everything is gone with the process"}

    def concerns(self) -> Sequence[Concern]:
        return ()  # nobody who lets jobs run at once expects to find them later

    def now(self) -> float:
        return self._clock.now()

    def close(self) -> None:
        """Nothing is open."""

    def _revive(self, record: FailedRecord, watch: str | None) -> None:
        self._store(record.queue, record.uuid, again(record.payload, now=self._clock.now(), watch=watch))


def _followers(settlement: Settlement) -> Iterator[Entry]:
    if isinstance(settlement.outcome, Done):
        yield from settlement.outcome.then


def _place_at(cursor: str | None) -> tuple[float, int] | None:
    if cursor is None:
        return None
    at, _, number = cursor.partition("/")
    return float(at), int(number)


class _Watch:
    """Nobody can push from elsewhere, so looking is enough."""

    def __init__(self, driver: SyncDriver, queues: Sequence[str]) -> None:
        self._driver = driver
        self._queues = queues

    def fileno(self) -> int | None:
        return None

    def next_check_in(self) -> float:
        return 0.1

    def drain(self) -> bool:
        return any(counts.pending for counts in self._driver.counts(self._queues).values())

    def close(self) -> None:
        """Nothing is open."""
