"""Any sequence of anything: no job is ever lost, doubled, or counted wrongly.

A random history is played on the driver beside a small model that knows where each job must be. The model follows the
driver where the contract leaves it free (an expired lease may be settled until somebody swept it), and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Verdict
from queuectl.jobs.outcome import Done, Outcome, Parked, Release
from queuectl.testing.contract.base import APPLIED, GONE, Contract, entry, failure, reserve, settle, uuid_of
from queuectl.testing.contract.keeping import SUITED

HIGH, LOW = "high", "low"
Step = tuple[str, tuple[Any, ...]]


def histories() -> st.SearchStrategy[list[Step]]:
    """Steps of a history: the name of a method of `_World`, and its arguments. Dense, so that much meets by chance."""
    queue, which = st.sampled_from([HIGH, HIGH, LOW]), st.sampled_from([0, 0, 1, 1, 2, 3])
    queues, room = st.sampled_from([(HIGH, LOW), (HIGH, LOW), (LOW, HIGH), (LOW,)]), st.integers(1, 3)
    pause, outcome = st.sampled_from([0, 0, 1, 5]), st.sampled_from(list(OUTCOMES))
    take = st.tuples(st.just("take"), st.tuples(queues, room))
    finish = st.tuples(st.just("settle"), st.tuples(which, outcome, pause))
    steps = [
        st.tuples(st.just("push"), st.tuples(queue, pause)),
        *(take, take, take, finish, finish, finish),
        st.tuples(st.just("pass_time"), st.tuples(st.sampled_from([1, 2, 5, 29, 31]))),
        st.tuples(st.just("renew"), st.tuples(which)),
        st.tuples(st.just("retry"), st.tuples(which)),
        st.tuples(st.sampled_from(["forget", "clear"]), st.tuples(which)),
    ]
    return st.lists(st.one_of(*steps), min_size=40, max_size=80)


OUTCOMES: dict[str, Callable[[Reserved, FakeClock, int], Outcome]] = {
    "done": lambda reserved, clock, pause: Done(),
    "release": lambda reserved, clock, pause: Release(pause),
    "spare": lambda reserved, clock, pause: Release(pause, spared=True),
    "park": lambda reserved, clock, pause: Parked("unknown job", pause),
    "fail": lambda reserved, clock, pause: failure(reserved, clock),
}


class Conserving(Contract):
    """The promises together."""

    @settings(deadline=None, suppress_health_check=SUITED)
    @given(history=histories())
    def test_no_history_loses_or_doubles_a_job(self, driver: Driver, clock: FakeClock, history: list[Step]) -> None:
        """At every step each job is where the model says, and at the end all that is left comes out once."""
        world = _World(driver, clock)
        for name, arguments in history:
            getattr(world, name)(*arguments)
            world.check_sizes()
        world.drain()


@dataclass
class _Known:
    """What the model knows of one job."""

    queue: str
    due: float
    attempts: int = 0
    holder: Reserved | None = None
    lease_until: float = 0.0
    failed: bool = False

    def must_be_had(self, now: float) -> bool:
        return not self.failed and (self.due <= now if self.holder is None else self.lease_until < now)

    def may_be_had(self, now: float) -> bool:
        return self.must_be_had(now) or (self.holder is not None and self.lease_until == now)


class _World:
    """The driver and the model, moved together."""

    def __init__(self, driver: Driver, clock: FakeClock) -> None:
        self.driver = driver
        self.clock = clock
        self.jobs: dict[str, _Known] = {}
        self.reservations: list[Reserved] = []

    def push(self, queue: str, delay: int) -> None:
        [uuid] = self.driver.push([entry(queue, delay=delay)])
        self.jobs[uuid] = _Known(queue, self.clock.now() + delay)

    def pass_time(self, seconds: int) -> None:
        self.clock.sleep(seconds)

    def take(self, queues: Sequence[str], room: int) -> None:
        now = self.clock.now()
        waiting = {uuid for uuid, job in self.jobs.items() if job.queue in queues and job.must_be_had(now)}
        got = reserve(self.driver, *queues, room=room)
        assert len(got) == room or waiting <= {uuid_of(one) for one in got}
        self._check_order(queues, got, waiting)
        for reserved in got:
            self._hold(reserved)

    def _check_order(self, queues: Sequence[str], got: Sequence[Reserved], waiting: set[str]) -> None:
        places = [queues.index(reserved.queue) for reserved in got]
        assert places == sorted(places)
        had = {uuid_of(reserved) for reserved in got}
        for queue in queues[: max(places, default=0)]:
            assert {uuid for uuid in waiting if self.jobs[uuid].queue == queue} <= had

    def _hold(self, reserved: Reserved) -> None:
        job = self.jobs[uuid_of(reserved)]
        assert job.may_be_had(self.clock.now())
        assert (reserved.queue, reserved.attempts) == (job.queue, job.attempts + 1)
        job.attempts, job.holder = reserved.attempts, reserved
        job.lease_until = self.clock.now() + self.driver.retry_after
        self.reservations.append(reserved)

    def settle(self, which: int, kind: str, pause: int) -> None:
        """Settle any reservation there ever was, mostly the latest ones."""
        if not self.reservations:
            return
        reserved = self.reservations[-1 - which % len(self.reservations)]
        verdict = settle(self.driver, reserved, OUTCOMES[kind](reserved, self.clock, pause))
        if self._is_right(verdict, reserved):
            self._settled(reserved, kind, pause)

    def _is_right(self, verdict: Verdict, reserved: Reserved) -> bool:
        """Check the verdict; whether the settlement took effect."""
        job = self.jobs.get(uuid_of(reserved))
        current = job is not None and job.holder is reserved
        if job is None or not current:
            assert verdict is GONE
        elif verdict is GONE:
            assert job.lease_until <= self.clock.now()  # somebody swept it
            job.holder, job.due = None, job.lease_until
        return verdict is APPLIED

    def _settled(self, reserved: Reserved, kind: str, pause: int) -> None:
        job = self.jobs[uuid_of(reserved)]
        job.holder, job.due = None, self.clock.now() + pause
        if kind == "done":
            del self.jobs[uuid_of(reserved)]
        elif kind == "fail":
            job.failed = True
        elif kind in ("spare", "park"):
            job.attempts -= 1

    def renew(self, which: int) -> None:
        if not self.reservations:
            return
        reserved = self.reservations[-1 - which % len(self.reservations)]
        lost = self.driver.renew([reserved])
        if self._is_right(GONE if lost else APPLIED, reserved):
            self.jobs[uuid_of(reserved)].lease_until = self.clock.now() + self.driver.retry_after

    def retry(self, which: int) -> None:
        for uuid in self._failed()[-1 - which :]:
            assert self.driver.failed.retry([uuid]) == [uuid]
            self.jobs[uuid] = _Known(self.jobs[uuid].queue, self.clock.now())

    def forget(self, which: int) -> None:
        for uuid in self._failed()[which : which + 1]:
            assert self.driver.failed.forget([uuid]) == [uuid]
            del self.jobs[uuid]

    def clear(self, which: int) -> None:
        queue = (LOW, HIGH)[which % 2]
        gone = [uuid for uuid, job in self.jobs.items() if job.queue == queue and not job.failed]
        assert self.driver.clear(queue) == len(gone)
        for uuid in gone:
            del self.jobs[uuid]

    def check_sizes(self) -> None:
        counts = self.driver.counts([HIGH, LOW])
        for queue in (HIGH, LOW):
            known = [job for job in self.jobs.values() if job.queue == queue and not job.failed]
            assert counts[queue].size == len(known)
        assert self.driver.failed.count() == len(self._failed())

    def drain(self) -> None:
        """Everything that is left comes out once; then the store is empty for the next history."""
        self.clock.sleep(self.driver.retry_after + 10)
        left = {uuid for uuid, job in self.jobs.items() if not job.failed}
        got = reserve(self.driver, HIGH, LOW, room=len(left) + 5)
        assert sorted(uuid_of(reserved) for reserved in got) == sorted(left)
        assert [settle(self.driver, reserved, Done()) for reserved in got] == [APPLIED] * len(left)
        assert sorted(row.uuid for row in self.driver.failed.page().items) == sorted(self._failed())
        assert self.driver.failed.flush() == len(self._failed())

    def _failed(self) -> list[str]:
        return [uuid for uuid, job in self.jobs.items() if job.failed]
