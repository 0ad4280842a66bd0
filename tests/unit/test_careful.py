"""A careful retry, on the in-memory driver; time passes, and a worker works, whenever somebody waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from queuectl.awaiting import Awaited, Ended
from queuectl.care import Care, Standing, Stop, Tolerance
from queuectl.careful import ENOUGH, PORTION, WINDOW, CarefulRetry, spread
from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.contract import Driver, Settlement
from queuectl.drivers.ends import End
from queuectl.drivers.sync import SyncDriver
from queuectl.failing import FailedJobs, Located
from queuectl.jobs.outcome import Done, Failed, FailedRecord, Outcome, Problem
from queuectl.jobs.payload import encode, identity


class Bench(FakeClock):
    """A clock beside which a worker sits: it does what is ready whenever time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.driver: Driver = SyncDriver.from_config(Connection("near", "sync"), clock=self)
        self.succeeds: Callable[[int], bool] = lambda number: True
        self.works, self.tells = True, True
        self.worked = 0
        self.most_waiting = 0
        self.arrivals: list[float] = []
        self.begun_at = self.now()

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.most_waiting = max(self.most_waiting, self.driver.counts(["mail"])["mail"].pending)
        while self.works and self.work():
            pass

    def work(self) -> bool:
        _, reserved = self.driver.exchange([], ["mail"], 1)
        for one in reserved:
            uuid = identity(one.payload)[0]
            self.arrivals.append(self.now() - self.begun_at)
            done = self.succeeds(self.worked)
            self.worked += 1
            outcome: Outcome = Done() if done else Failed(record(number_of(uuid), failed_at=self.now()))
            self.driver.exchange([Settlement(one, outcome)], [], 0)
            if self.tells:
                self.driver.control.tell_end("op-1", End(uuid, "Mail", "mail", done, 1, self.now()))
        return bool(reserved)


def record(number: int, *, failed_at: float, kind: str = "E") -> FailedRecord:
    uuid = f"{number:08x}-0000-4000-8000-000000000000"
    payload = encode(job="Mail", arguments="{}", uuid=uuid)
    return FailedRecord(uuid, "near", "mail", payload, "Mail", 3, Problem(kind, "m", "text"), failed_at)


def number_of(uuid: str) -> int:
    return int(uuid[:8], 16)


@dataclass
class Heard:
    """What the listener was told."""

    events: list[str] = field(default_factory=list)
    stood: list[Standing] = field(default_factory=list)

    def moved(self, uuids: Sequence[str]) -> None:
        self.events += ["moved"] * len(uuids)

    def ended(self, ended: Ended) -> None:
        self.events.append("done" if ended.done else "failed")

    def passed(self, canaries: int) -> None:
        self.events.append(f"passed {canaries}")

    def looked(self, standing: Standing) -> None:
        self.stood.append(replace(standing))


@dataclass
class Trial:
    """One careful retry of some failed jobs."""

    bench: Bench
    count: int
    heard: Heard = field(default_factory=Heard)

    def run(self, care: Care) -> Stop | None:
        now = self.bench.now()
        self.bench.driver.failed.add([record(number, failed_at=now - 10_000 + number) for number in range(self.count)])
        failed = FailedJobs({"near": self.bench.driver}, owner={}.get, now=self.bench.now)
        careful = CarefulRetry(
            lambda batch, watch: failed.retry(batch, watch=watch),
            failed.destination,
            Awaited("op-1", [self.bench.driver.failed], clock=self.bench),
            care,
            listener=self.heard,
            clock=self.bench,
        )
        self.standing = careful.standing
        return careful.run(failed.all())

    @property
    def left(self) -> int:
        """Failed jobs that nobody touched."""
        rows = self.bench.driver.failed.page(limit=10_000).items
        return sum(row.failed_at < self.bench.begun_at for row in rows)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_canaries_that_fail_again_leave_the_others_alone(bench: Bench) -> None:
    """One is enough."""
    bench.succeeds = lambda number: number != 2
    trial = Trial(bench, 50)
    assert trial.run(Care(canaries=5)) is Stop.CANARY
    assert (trial.left, trial.standing.retried, trial.standing.done, trial.standing.failed) == (45, 5, 4, 1)


def test_canaries_that_end_well_are_followed_by_the_others(bench: Bench) -> None:
    """Whom nobody watches, unless that was asked for; not one before the canaries have ended."""
    trial = Trial(bench, PORTION + 50)
    assert trial.run(Care(canaries=5)) is None
    assert trial.heard.events == ["done"] * 5 + ["passed 5"] + ["moved"] * (PORTION + 45)
    assert (trial.left, trial.standing.retried) == (0, PORTION + 50)


def test_fewer_jobs_than_canaries_are_all_canaries(bench: Bench) -> None:
    """And none at all are no reason to stop."""
    trial = Trial(bench, 3)
    assert trial.run(Care(canaries=5, wait=True)) is None
    assert (trial.standing.canaries, trial.standing.done) == (3, 3)
    assert Trial(Bench(), 0).run(Care(canaries=5, wait=True)) is None


def test_canaries_are_of_all_kinds_of_failures() -> None:
    """As far as they reach; the newest of each."""
    driver = SyncDriver.from_config(Connection("near", "sync"), clock=FakeClock())
    kinds = "AAAAAABBBBC"
    driver.failed.add([record(number, failed_at=number, kind=kind) for number, kind in enumerate(kinds)])
    jobs = [Located("near", job) for job in driver.failed.page().items]
    for count, expected in ((2, "BC"), (3, "ABC"), (5, "AABBC"), (99, "AAAAAABBBBC")):
        assert sorted(one.job.error for one in spread(jobs, count)) == list(expected)
    assert [number_of(one.job.uuid) for one in spread(jobs, 3)] == [10, 9, 5]


@pytest.mark.parametrize("rate", [0.5, 20.0, 1_000.0])
def test_the_others_follow_at_a_rate(bench: Bench, rate: float) -> None:
    """Neither in bursts nor slower than it allows."""
    count = 10 if rate < 1 else 400
    assert Trial(bench, count).run(Care(rate=rate)) is None
    bench.sleep(1)
    assert len(bench.arrivals) == count
    for number, at in enumerate(bench.arrivals):
        assert number <= rate * at + max(rate, 1)
    assert bench.arrivals[-1] <= count / rate + 2


def test_what_was_held_up_does_not_come_in_one_burst(bench: Bench) -> None:
    """After a pause the rate is the rate: no more than a second's worth at once."""
    bench.works = False
    trial = Trial(bench, 1_000)
    trial.run(Care(rate=100, wait=True, timeout=60))
    assert trial.standing.open == WINDOW
    before = bench.now()
    assert before - bench.begun_at >= 60


def test_it_stops_when_too_many_fail_again(bench: Bench) -> None:
    """By their share among those that have ended; what cannot be stopped any more is never much."""
    bench.succeeds = lambda number: number < 200
    trial = Trial(bench, 1_000)
    assert trial.run(Care(tolerance=Tolerance(share=0.1))) is Stop.FAILURES
    assert trial.left > 500
    assert trial.standing.failed <= WINDOW


def test_few_are_on_their_way_while_few_have_ended(bench: Bench) -> None:
    """A stop that comes after everything was sent is none."""
    bench.succeeds = lambda number: False
    trial = Trial(bench, 1_000)
    assert trial.run(Care(tolerance=Tolerance(share=0.5))) is Stop.FAILURES
    assert trial.standing.retried == ENOUGH


@pytest.mark.parametrize(("count", "stop"), [(4, Stop.FAILURES), (5, None)])
def test_a_number_of_failures_may_be_allowed(bench: Bench, count: int, stop: Stop | None) -> None:
    """Up to it all goes on."""
    bench.succeeds = lambda number: number not in (3, 30, 31, 32, 60)
    trial = Trial(bench, 100)
    assert trial.run(Care(tolerance=Tolerance(count=count), wait=True)) is stop
    assert (trial.left == 0) is (stop is None)


def test_a_share_counts_for_canaries_too(bench: Bench) -> None:
    """Of them."""
    bench.succeeds = lambda number: number != 0
    assert Trial(bench, 50).run(Care(canaries=10, tolerance=Tolerance(share=0.1))) is None


def test_waiting_ends_with_the_last_one(bench: Bench) -> None:
    """How it went is told, and is no reason to stop."""
    bench.succeeds = lambda number: number != 7
    trial = Trial(bench, 700)
    assert trial.run(Care(wait=True)) is None
    assert (trial.standing.done, trial.standing.failed, trial.standing.open) == (699, 1, 0)
    assert bench.most_waiting <= WINDOW


def test_the_time_may_be_up(bench: Bench) -> None:
    """With canaries, with the others, and at the end."""
    for care in (Care(canaries=3), Care(wait=True), Care(rate=1, tolerance=Tolerance(count=9))):
        bench = Bench()
        bench.works = False
        trial = Trial(bench, 50)
        assert trial.run(replace(care, timeout=10)) is Stop.TIMEOUT
        assert 10 <= bench.now() - bench.begun_at < 12
        assert trial.standing.open == trial.standing.retried > 0


def test_an_end_that_nobody_told_is_no_success(bench: Bench) -> None:
    """A worker of PHP's, for instance, that did a canary."""
    bench.tells = False
    trial = Trial(bench, 50)
    assert trial.run(Care(canaries=2)) is Stop.CANARY
    assert (trial.standing.lost, trial.left) == (2, 48)
