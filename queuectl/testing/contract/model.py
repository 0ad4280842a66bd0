"""A store as it must be, moved along with a real one.

It follows the driver where the contract leaves it free (an expired lease may be settled until somebody swept it), and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Settlement, Verdict
from queuectl.jobs.outcome import Done, Entry, Outcome, Parked, Release, Unique
from queuectl.testing.contract.base import APPLIED, GONE, entry, failure, reserve, uuid_of
from queuectl.testing.contract.operator import HIGH, LOW, Known, Operator

REMEMBERED = 1_000_000.0
Ending = tuple[int, str, int]
"""Which reservation, what becomes of it, and a pause."""
OUTCOMES: dict[str, Callable[[Reserved, FakeClock, int], Outcome]] = {
    "done": lambda reserved, clock, pause: Done(),
    "chain": lambda reserved, clock, pause: Done(then=(entry(reserved.queue, delay=pause),)),
    "release": lambda reserved, clock, pause: Release(pause),
    "spare": lambda reserved, clock, pause: Release(pause, spared=True),
    "park": lambda reserved, clock, pause: Parked("unknown job", pause),
    "fail": lambda reserved, clock, pause: failure(reserved, clock),
}


class World(Operator):
    """The drivers and the model, moved together."""

    def __init__(self, drivers: Sequence[Driver], clock: FakeClock) -> None:
        super().__init__(drivers, clock)
        self.reservations: list[Reserved] = []
        self.former: list[Reserved] = []

    def push(self, who: int, jobs: Sequence[tuple[str, int]], heard: bool) -> None:
        """In one call; if it was not heard, again under the same keys."""
        entries = [entry(queue, delay=pause) for queue, pause in jobs]
        if not heard:
            entries = [Entry(e.queue, e.payload, e.uuid, e.delay, Unique(e.uuid, REMEMBERED)) for e in entries]
        for _ in range(1 if heard else 2):
            assert self.drivers[who].push(entries) == [one.uuid for one in entries]
        self._know(entries)

    def pass_time(self, seconds: int) -> None:
        self.clock.sleep(seconds)

    def turn(self, who: int, endings: Sequence[Ending], queues: Sequence[str], room: int, heard: bool) -> None:
        """An exchange; if it was not heard, its outcomes are sent again, and what it reserved is nobody's."""
        settlements = [self._settlement(*ending) for ending in endings if self.reservations]
        settlements = list({id(each.reserved): each for each in settlements}.values())
        verdicts, got = self.drivers[who].exchange(settlements, queues, room)
        for settlement, verdict in zip(settlements, verdicts, strict=True):
            self._settled(settlement, verdict)
        self._take(queues, room, got)
        if heard:
            self.reservations += got
        else:
            self.former += got
            assert self.drivers[who - 1].exchange(settlements, queues, 0)[0] == [GONE] * len(settlements)

    def come_late(self, who: int, which: int, kind: str) -> None:
        """Settle what somebody else has, or, if there is no such thing, what nobody has any more."""
        stale = [one for one in [*self.former, *self.reservations] if not self._is_current(one)]
        overtaken = [one for one in stale if uuid_of(one) in self.jobs and self.jobs[uuid_of(one)].holder is not None]
        for reserved in (overtaken or stale)[-1 - which :][:1]:
            late = Settlement(reserved, OUTCOMES[kind](reserved, self.clock, 0))
            assert self.drivers[who].exchange([late], [HIGH], 0)[0] == [GONE]

    def renew(self, who: int, which: Sequence[int]) -> None:
        held = list({id(one): one for one in map(self._reservation, which) if one is not None}.values())
        lost = {id(one) for one in self.drivers[who].renew(held)}
        for reserved in held:
            if self._is_right(GONE if id(reserved) in lost else APPLIED, reserved):
                self.jobs[uuid_of(reserved)].lease_until = self.clock.now() + self.drivers[who].retry_after

    def vanish(self) -> None:
        """Every worker dies; what they had comes back when its lease ends."""
        self.former += self.reservations
        self.reservations = []

    def check_counts(self) -> None:
        counts, now = self.drivers[0].counts([HIGH, LOW]), self.clock.now()
        for queue in (HIGH, LOW):
            known = [job for job in self.jobs.values() if job.queue == queue and job.failed_at is None]
            living = sum(job.holder is not None and job.lease_until > now for job in known)
            assert counts[queue].size == len(known)
            assert counts[queue].delayed == sum(job.holder is None and job.due > now for job in known)
            assert living <= counts[queue].reserved <= sum(job.holder is not None for job in known)
        assert self.drivers[0].failed.count() == len(self._failed())

    def drain(self) -> None:
        """Everything that is left comes out once; then the store is empty for the next history."""
        driver = self.drivers[0]
        self.clock.sleep(driver.retry_after + 10)
        left = [uuid for uuid, job in self.jobs.items() if job.failed_at is None]
        got = reserve(driver, HIGH, LOW, room=len(left) + 5)
        assert sorted(uuid_of(reserved) for reserved in got) == sorted(left)
        verdicts, _ = driver.exchange([Settlement(reserved, Done()) for reserved in got], [HIGH], 0)
        assert verdicts == [APPLIED] * len(left)
        assert sorted(row.uuid for row in driver.failed.page().items) == sorted(self._failed())
        assert driver.failed.flush() == len(self._failed())
        assert driver.removed.purge() == len(self.kept)

    # The model

    def _know(self, entries: Iterable[Entry]) -> None:
        self.jobs |= {one.uuid: Known(one.queue, self.clock.now() + one.delay) for one in entries}

    def _reservation(self, which: int) -> Reserved | None:
        """Any that a living worker has, mostly one of the latest."""
        return self.reservations[-1 - which % len(self.reservations)] if self.reservations else None

    def _settlement(self, which: int, kind: str, pause: int) -> Settlement:
        reserved = self.reservations[-1 - which % len(self.reservations)]
        return Settlement(reserved, OUTCOMES[kind](reserved, self.clock, pause))

    def _take(self, queues: Sequence[str], room: int, got: Sequence[Reserved]) -> None:
        now = self.clock.now()
        waiting = {uuid for uuid, job in self.jobs.items() if job.queue in queues and job.must_be_had(now)}
        assert len(got) == room or waiting <= {uuid_of(one) for one in got}
        self._check_order(queues, got, waiting)
        for reserved in got:
            self._hold(reserved)

    def _check_order(self, queues: Sequence[str], got: Sequence[Reserved], waiting: set[str]) -> None:
        places = [queues.index(reserved.queue) for reserved in got]
        assert places == sorted(places)
        had = [uuid_of(reserved) for reserved in got]
        for queue in queues[: max(places, default=0)]:
            assert {uuid for uuid in waiting if self.jobs[uuid].queue == queue} <= {*had}
        for queue in queues:
            regular = [self.jobs[uuid] for uuid in had if self.jobs[uuid].queue == queue]
            dues = [job.due for job in regular if job.holder is None and not job.lapsed]
            assert dues == sorted(dues)

    def _hold(self, reserved: Reserved) -> None:
        job = self.jobs[uuid_of(reserved)]
        assert job.may_be_had(self.clock.now())
        assert (reserved.queue, reserved.attempts) == (job.queue, job.attempts + 1)
        job.lapsed |= job.holder is not None
        job.attempts, job.holder = reserved.attempts, reserved
        job.lease_until = self.clock.now() + self.drivers[0].retry_after

    def _is_current(self, reserved: Reserved) -> bool:
        job = self.jobs.get(uuid_of(reserved))
        return job is not None and job.holder is reserved

    def _is_right(self, verdict: Verdict, reserved: Reserved) -> bool:
        """Check the verdict; whether the settlement took effect."""
        if not self._is_current(reserved):
            assert verdict is GONE
        elif verdict is GONE:
            job = self.jobs[uuid_of(reserved)]
            assert job.lease_until <= self.clock.now()  # somebody swept it
            job.holder, job.due, job.lapsed = None, job.lease_until, True
        return verdict is APPLIED

    def _settled(self, settlement: Settlement, verdict: Verdict) -> None:
        if not self._is_right(verdict, settlement.reserved):
            return
        uuid, now = uuid_of(settlement.reserved), self.clock.now()
        job = self.jobs[uuid]
        job.holder, job.lapsed = None, False
        match settlement.outcome:
            case Done(then=then):
                del self.jobs[uuid]
                self._know(then)
            case Release(after=after, spared=spared):
                job.due, job.attempts = now + after, job.attempts - spared
            case Parked(after=after):
                job.due, job.attempts = now + after, job.attempts - 1
            case _:
                job.failed_at = now
