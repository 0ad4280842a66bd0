"""Failed jobs across several connections, and the one store that may collect them all.

A driver fails a job into its own store, in the step that removes it from the queue. Where `[failed] connection` names
another one, workers carry the rows there afterwards, and operators act on that one only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain, islice
from time import monotonic
from typing import ClassVar

from queuectl.drivers.contract import Driver, FailedJob, FailedStore
from queuectl.errors import DriverUnavailable, QueuectlError, UsageError
from queuectl.jobs.outcome import Entry, FailedRecord, Problem, Unique
from queuectl.jobs.payload import again

PAGE = 500
BODIES = 20
"""Rows moved in one step, payloads and tracebacks included."""
BATCHES_A_CALL = 5
PATIENCE = 30.0
"""Seconds between two tries of a store that was away: a worker waits for each."""
REMEMBERED = 7 * 86_400.0
"""Seconds that a retry from another store is remembered, so that an interrupted one never pushes twice."""


def each(store: FailedStore, queue: str | None = None) -> Iterator[FailedJob]:
    """Every failed job, newest first, a page at a time and without bodies."""
    page = store.page(queue=queue, limit=PAGE)
    yield from page.items
    while page.cursor is not None:
        page = store.page(queue=queue, cursor=page.cursor, limit=PAGE)
        yield from page.items


def relay_failed(source: FailedStore, target: FailedStore) -> int:
    """Carry the failed jobs of one store to another; how many. Rows of a PHP application stay where they are."""
    return sum(_carry(source, target, keys) for keys in batched((job.uuid for job in _ours(source)), BODIES))


class Relay:
    """Carries failed jobs to where they are collected, a few at each call; patient with a store that is away."""

    every: ClassVar[float] = 5.0
    """Seconds between two calls."""

    def __init__(self, source: FailedStore, target: FailedStore, note: Callable[[str], object]) -> None:
        self._source, self._target, self._note = source, target, note
        self._away = False
        self._next = 0.0

    def __call__(self) -> None:
        """Raises only what the source raises: that the target is away is no concern of the worker's connection."""
        if monotonic() < self._next:
            return
        for keys in islice(batched((job.uuid for job in _ours(self._source)), BODIES), BATCHES_A_CALL):
            records = [record_of(job) for job in map(self._source.get, keys) if job is not None]
            if not self._add(records):
                return
            self._source.forget([record.uuid for record in records])

    def _add(self, records: Sequence[FailedRecord]) -> bool:
        try:
            self._target.add(records)
        except QueuectlError as error:
            if not self._away:
                remedy = f" {error.hint}" if error.hint else ""
                self._note(
                    f"Failed jobs stay where they are for now, their collecting store does not answer: {error}{remedy}"
                )
            self._away, self._next = True, monotonic() + PATIENCE
            return False
        if self._away:
            self._note("Failed jobs are collected again.")
        self._away = False
        return True


def _ours(store: FailedStore) -> Iterator[FailedJob]:
    return (job for job in each(store) if not job.foreign)


def _carry(source: FailedStore, target: FailedStore, keys: Sequence[str]) -> int:
    records = [record_of(job) for job in map(source.get, keys) if job is not None]
    target.add(records)  # first there, then gone here: a duplicate beats a loss
    return len(source.forget([record.uuid for record in records]))


def record_of(job: FailedJob) -> FailedRecord:
    """A row of one failed store as another one takes it."""
    return FailedRecord(
        uuid=job.uuid,
        connection=job.connection,
        queue=job.queue,
        payload=job.payload,
        job=job.job,
        attempts=job.attempts,
        problem=Problem(job.error, job.message, job.text, job.place),
        failed_at=job.failed_at,
    )


def batched(items: Iterable[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Located:
    """A failed job, and the connection in whose store it lies."""

    store: str
    job: FailedJob


@dataclass
class Stranded:
    """Jobs that could not be sent back, because the connection that they belong to is away."""

    error: DriverUnavailable
    count: int = 0


class FailedJobs:
    """The failed jobs of several connections as one list.

    *drivers* are those whose stores are looked into, by connection, each store once. *owner* gives the driver that a
    row's connection stands for, or None if there is none of that name. *far* is the name of the collecting one, if any.
    """

    def __init__(
        self,
        drivers: Mapping[str, Driver],
        *,
        owner: Callable[[str], Driver | None],
        far: str | None = None,
        now: Callable[[], float],
    ) -> None:
        self._drivers, self._owner, self._far, self._now = drivers, owner, far, now
        self.stranded: dict[str, Stranded] = {}
        """By connection, what `retry` left where it was; each connection is tried once, so that none is waited for."""

    def collect(self) -> None:
        """Carry everything to the collecting store first, so that each job lies in one place only."""
        if self._far is not None and self._far in self._drivers:
            target = self._drivers[self._far].failed
            for name, driver in self._drivers.items():
                if name != self._far:
                    relay_failed(driver.failed, target)

    def all(self, queue: str | None = None) -> Iterator[Located]:
        """Every failed job, newest first; of two rows of one job on its way, the collecting store's."""
        listings = [self._listing(name, driver.failed, queue) for name, driver in self._drivers.items()]
        recent: tuple[float, set[str]] = (0.0, set())
        for at, _, found in merge(*listings, key=lambda row: row[:2]):
            if at != recent[0]:
                recent = (at, set())
            if found.job.uuid not in recent[1]:
                recent[1].add(found.job.uuid)
                yield found

    def _listing(self, name: str, store: FailedStore, queue: str | None) -> Iterator[tuple[float, bool, Located]]:
        return ((-job.failed_at, name != self._far, Located(name, job)) for job in each(store, queue))

    def find(self, key: str) -> Located | None:
        """The failed job of this id. `UsageError` if two connections have one: which is meant cannot be known."""
        found = [Located(name, job) for name, driver in self._drivers.items() if (job := driver.failed.get(key))]
        if len(found) > 1:
            where = " and ".join(located.store for located in found)
            raise UsageError(f"Both {where} have a failed job {key!r}.", hint="Give the uuid, or choose --connection.")
        return found[0] if found else None

    def retry(self, batch: Sequence[Located], *, watch: str | None = None) -> list[str]:
        """Put these back on the queues they came from; the uuids that moved. What is gone already is left out.

        *watch*: under which name somebody waits for their ends.
        """
        return list(chain.from_iterable(self._retry_in(name, jobs, watch) for name, jobs in _by_store(batch).items()))

    def destination(self, located: Located) -> Driver:
        """Where `retry` puts this one: its own connection, or, if that keeps no jobs, the store that it lies in."""
        owner = self._owner(located.job.connection)
        return self._drivers[located.store] if owner is None or owner.immediate else owner

    def forget(self, batch: Sequence[Located], *, keep: str | None = None) -> list[str]:
        """Delete these; the uuids that this call deleted. *keep*: the operation that can bring them back."""
        return list(
            chain.from_iterable(
                self._drivers[name].failed.forget([job.uuid for job in jobs], keep=keep)
                for name, jobs in _by_store(batch).items()
            )
        )

    def total(self) -> int:
        """How many there are; one that is on its way to the collecting store is counted twice."""
        return sum(driver.failed.count() for driver in self._drivers.values())

    def _retry_in(self, name: str, jobs: Sequence[FailedJob], watch: str | None) -> list[str]:
        driver = self._drivers[name]
        spanning = {
            connection: self._spans_two_stores(connection, driver) for connection in {job.connection for job in jobs}
        }
        near = [job.uuid for job in jobs if not spanning[job.connection]]
        far = [job for job in jobs if spanning[job.connection]]
        moved = driver.failed.retry(near, watch=watch) if near else []
        return [*moved, *(job.uuid for job in far if self._sent_back(job, driver.failed, watch))]

    def _spans_two_stores(self, connection: str, driver: Driver) -> bool:
        """Whether its rows lie, or are just being carried, elsewhere than its queues: no single step moves one then."""
        owner = self._owner(connection)
        if owner is None or owner.immediate:
            return False
        far = self._owner(self._far) if self._far is not None else driver
        return owner.place != driver.place or (far is not None and far.place != driver.place)

    def _sent_back(self, listed: FailedJob, store: FailedStore, watch: str | None) -> bool:
        stranded = self.stranded.get(listed.connection)
        if stranded is None:
            try:
                return self._send_back(listed, store, watch)
            except DriverUnavailable as error:
                stranded = self.stranded[listed.connection] = Stranded(error)
        stranded.count += 1
        return False

    def _send_back(self, listed: FailedJob, store: FailedStore, watch: str | None) -> bool:
        """Push a job into its queue, then forget it here: a duplicate row beats a lost job. Under a key of this very
        failure: a row that somebody carries on meanwhile never pushes it again."""
        job, owner = store.get(listed.uuid), self._owner(listed.connection)
        if job is None or owner is None:
            return False
        once = Unique(f"retried:{job.uuid}:{job.failed_at:.6f}", REMEMBERED)
        owner.push([Entry(job.queue, again(job.payload, now=self._now(), watch=watch), job.uuid, unique=once)])
        return bool(store.forget([job.uuid]))


def _by_store(batch: Sequence[Located]) -> dict[str, list[FailedJob]]:
    stores: dict[str, list[FailedJob]] = {}
    for located in batch:
        stores.setdefault(located.store, []).append(located.job)
    return stores
