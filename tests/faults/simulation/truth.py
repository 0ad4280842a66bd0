"""One store as it must be: told of every call that reached it, this model says whether the answer may be so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from queuectl.clock import Clock
from queuectl.drivers.contract import Reserved, Settlement, Verdict
from queuectl.jobs.outcome import Completed, Done, Entry, Failed, FailedRecord, Outcome, Parked, Release
from queuectl.jobs.payload import identity

APPLIED, GONE = Verdict.APPLIED, Verdict.GONE


@dataclass
class Known:
    """A job in a queue."""

    queue: str
    due: float
    attempts: int = 0
    token: Any = None
    """Of the reservation that holds it, if one does."""
    lease_until: float = 0.0

    def may_be_had(self, now: float) -> bool:
        return self.due <= now if self.token is None else self.lease_until <= now


class Truth:
    """Knows what lies in one store. `AssertionError` for an answer that breaks a promise."""

    def __init__(
        self,
        clock: Clock,
        lease: float,
        *,
        settled: Callable[[Any, str, Outcome], None] = lambda token, uuid, outcome: None,
        deleted: Callable[[str], None] = lambda uuid: None,
    ) -> None:
        """*settled* hears of each settlement that took effect (its token, the job's uuid, the outcome), *deleted* of
        each job that was forgotten or cleared."""
        self._clock, self._lease, self._settled, self._deleted = clock, lease, settled, deleted
        self._unique: dict[str, tuple[str, float]] = {}
        self.jobs: dict[str, Known] = {}
        self.failed: dict[str, str] = {}
        """The queues of failed jobs."""

    def holds(self, uuid: str) -> bool:
        return uuid in self.jobs or uuid in self.failed

    def is_current(self, reserved: Reserved) -> bool:
        """Whether nobody else may have the job of this reservation yet."""
        job = self.jobs.get(identity(reserved.payload)[0])
        return job is not None and job.token == reserved.token

    def size(self, queue: str) -> int:
        return sum(job.queue == queue for job in self.jobs.values())

    # What was called, and what came of it

    def pushed(self, entries: Sequence[Entry], stands: Sequence[str]) -> None:
        for entry, standing in zip(entries, stands, strict=True):
            assert standing == self._push(entry), "a push that stands for another job than the one that has its key"

    def exchanged(
        self, settlements: Sequence[Settlement], verdicts: Sequence[Verdict], reserved: Sequence[Reserved]
    ) -> None:
        for settlement, verdict in zip(settlements, verdicts, strict=True):
            self._settle(settlement.reserved, settlement.outcome, verdict)
        for one in reserved:
            self._reserve(one)

    def renewed(self, reservations: Sequence[Reserved], lost: Sequence[Reserved]) -> None:
        gone = {one.token for one in lost}
        for reserved in reservations:
            if self._hears(reserved, GONE if reserved.token in gone else APPLIED):
                self.jobs[identity(reserved.payload)[0]].lease_until = self._clock.now() + self._lease

    def added(self, records: Sequence[FailedRecord]) -> None:
        self.failed |= {record.uuid: record.queue for record in records}

    def retried(self, keys: Sequence[str], moved: Sequence[str]) -> None:
        assert set(moved) == set(keys) & self.failed.keys(), "retried what is not there, or left out what is"
        for uuid in moved:
            self.jobs[uuid] = Known(self.failed.pop(uuid), self._clock.now())

    def forgot(self, keys: Sequence[str], gone: Sequence[str]) -> None:
        assert set(gone) == set(keys) & self.failed.keys(), "forgot what is not there, or kept what is"
        for uuid in gone:
            del self.failed[uuid]
            self._deleted(uuid)

    def cleared(self, queue: str, count: int) -> None:
        gone = [uuid for uuid, job in self.jobs.items() if job.queue == queue]
        assert count == len(gone), f"cleared {count} jobs of {len(gone)}"
        for uuid in gone:
            del self.jobs[uuid]
            self._deleted(uuid)

    def _push(self, entry: Entry) -> str:
        """Which job stands for the entry now."""
        now = self._clock.now()
        if entry.unique is not None:
            holder, until = self._unique.get(entry.unique.key, ("", now))
            if until > now:
                return holder
            self._unique[entry.unique.key] = (entry.uuid, now + entry.unique.ttl)
        assert entry.uuid not in self.jobs, f"{entry.uuid} was pushed twice"
        self.jobs[entry.uuid] = Known(entry.queue, now + entry.delay)
        return entry.uuid

    def _reserve(self, reserved: Reserved) -> None:
        uuid, now = identity(reserved.payload)[0], self._clock.now()
        job = self.jobs.get(uuid)
        assert job is not None, f"{uuid} was handed out and is not there"
        assert job.may_be_had(now), f"{uuid} was handed out and somebody has it, or it is not due"
        assert reserved.queue == job.queue
        assert reserved.attempts == job.attempts + 1, f"{uuid}: attempt {reserved.attempts} after {job.attempts}"
        job.attempts, job.token, job.lease_until = reserved.attempts, reserved.token, now + self._lease

    def _hears(self, reserved: Reserved, verdict: Verdict) -> bool:
        """Whether this took effect."""
        if not self.is_current(reserved):
            assert verdict is GONE, f"a stale token of {identity(reserved.payload)[0]} changed something"
        elif verdict is GONE:
            job = self.jobs[identity(reserved.payload)[0]]
            assert job.lease_until <= self._clock.now(), "a living lease was lost"
            job.token, job.due = None, job.lease_until  # somebody swept it
        return verdict is APPLIED

    def _settle(self, reserved: Reserved, outcome: Outcome, verdict: Verdict) -> None:
        if not self._hears(reserved, verdict):
            return
        uuid, now = identity(reserved.payload)[0], self._clock.now()
        job = self.jobs[uuid]
        job.token = None
        match outcome:
            case Done(then=then):
                del self.jobs[uuid]
                for entry in then:
                    self._push(entry)
            case Release(after=after, spared=spared):
                job.due, job.attempts = now + after, job.attempts - spared
            case Parked(after=after):
                job.due, job.attempts = now + after, job.attempts - 1
            case Failed(record=record):
                self.failed[uuid] = self.jobs.pop(uuid).queue
                assert record.uuid == uuid
            case Completed():
                raise AssertionError("nobody here completes a job in a transaction of its own")
            case _:
                assert_never(outcome)
        self._settled(reserved.token, uuid, outcome)
