"""The operator's half of the model: what is known of each job, and what retrying, deleting and undoing make of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Stored
from queuectl.jobs.payload import identity, new_uuid

HIGH, LOW = "high", "low"
OPERATION = "op-model"


@dataclass
class Known:
    """What the model knows of one job."""

    queue: str
    due: float
    attempts: int = 0
    holder: Reserved | None = None
    lease_until: float = 0.0
    lapsed: bool = False
    """A lease of it ran out: among those that are ready its place is anywhere."""
    failed_at: float | None = None

    def must_be_had(self, now: float) -> bool:
        return self.failed_at is None and (self.due <= now if self.holder is None else self.lease_until < now)

    def is_as_it_was(self, then: Known) -> bool:
        """For an operator who looks again; when a lease ran out is not known to a second."""
        moved = self.due != then.due and not (self.lapsed or then.holder)
        return self.failed_at is None and self.attempts == then.attempts and not moved

    def may_be_had(self, now: float) -> bool:
        return self.must_be_had(now) or (self.holder is not None and self.lease_until == now)


class Operator:
    """Two drivers of one store, and what somebody at a terminal does with them."""

    def __init__(self, drivers: Sequence[Driver], clock: FakeClock) -> None:
        self.drivers = drivers
        self.clock = clock
        self.jobs: dict[str, Known] = {}
        self.seen: list[tuple[Stored, Known]] = []
        """What he looked at, and what was known of it then."""
        self.kept: dict[str, Known] = {}
        """What an undo brings back."""

    def retry(self, who: int, which: int, heard: bool) -> None:
        chosen = self._failed()[-1 - which :]
        assert sorted(self.drivers[who].failed.retry([*chosen, new_uuid(), *chosen])) == sorted(chosen)
        if not heard:
            assert self.drivers[who].failed.retry(chosen) == []
        for uuid in chosen:
            self.jobs[uuid] = Known(self.jobs[uuid].queue, self.clock.now())

    def forget(self, who: int, which: int, heard: bool) -> None:
        for uuid in self._failed()[which : which + 1]:
            assert self.drivers[who].failed.forget([uuid]) == [uuid]
            assert heard or self.drivers[who].failed.forget([uuid]) == []
            del self.jobs[uuid]

    def delete_all(self, who: int, what: str, keep: str | None) -> None:
        """Clear a queue, or flush the failed ones, or those that failed a while ago."""
        before = self.clock.now() - (3 if what == "failed long ago" else 0)
        if what in (HIGH, LOW):
            gone = [uuid for uuid, job in self.jobs.items() if job.queue == what and job.failed_at is None]
            count = self.drivers[who].clear(what, keep=keep)
        else:
            gone = [uuid for uuid in self._failed() if (self.jobs[uuid].failed_at or 0) <= before]
            count = self.drivers[who].failed.flush(before=before, keep=keep)
        assert count == len(gone)
        self._remove(gone, keep)

    def look(self, who: int, queue: str) -> None:
        """An operator reads what waits; what he does about it comes later."""
        driver = self.drivers[who]
        found = [*driver.page(queue, "ready").items, *driver.page(queue, "delayed").items]
        assert sorted(map(_uuid, driver.find([_uuid(stored) for stored in found]))) == sorted(map(_uuid, found))
        self.seen = [(stored, replace(self.jobs[_uuid(stored)])) for stored in found]

    def cancel(self, who: int, keep: str | None, heard: bool) -> None:
        """What he looked at: all that has not changed since, and nothing that has."""
        found = [stored for stored, _ in self.seen]
        gone = self.drivers[who].cancel(found, keep=keep)
        assert heard or self.drivers[who].cancel(found, keep=keep) == []
        for stored, known in self.seen:
            job = self.jobs.get(_uuid(stored))
            assert stored in gone or job != known or job.holder is not None
            assert stored not in gone or (job is not None and job.is_as_it_was(known))
        self._remove([_uuid(stored) for stored in gone], keep)

    def undo(self, who: int, limit: int) -> None:
        """In portions, by both in turn."""
        removed, total = [driver.removed for driver in self.drivers], 0
        assert removed[who].count(OPERATION) == len(self.kept)
        more = True
        while more:
            answer = removed[who].put_back(OPERATION, limit=limit, running=True)
            who, more, total = 1 - who, answer.more, total + answer.jobs + answer.failed
        assert total == len(self.kept)
        for uuid, job in self.kept.items():
            self.jobs[uuid] = replace(job, holder=None, lapsed=job.lapsed or job.holder is not None)
        self.kept = {}

    def _failed(self) -> list[str]:
        return [uuid for uuid, job in self.jobs.items() if job.failed_at is not None]

    def _remove(self, uuids: Iterable[str], keep: str | None) -> None:
        gone = {uuid: self.jobs.pop(uuid) for uuid in uuids}
        self.kept |= gone if keep else {}


def _uuid(stored: Stored) -> str:
    return identity(stored.payload)[0]
