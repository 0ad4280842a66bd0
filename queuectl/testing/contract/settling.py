"""What the outcomes do."""

from __future__ import annotations

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Settlement
from queuectl.jobs.limits import Limits
from queuectl.jobs.outcome import Completed, Done, Outcome, Parked, Release, Unique
from queuectl.testing.contract.base import (
    APPLIED,
    GONE,
    Contract,
    entry,
    failure,
    push,
    reserve,
    reserve_one,
    settle,
    uuid_of,
    uuids_of,
)


class Settling(Contract):
    """Outcomes take effect exactly as they say, once."""

    def test_a_done_job_is_gone(self, driver: Driver, clock: FakeClock) -> None:
        """It is in no state of its queue, and does not come back after its lease."""
        push(driver)
        assert settle(driver, reserve_one(driver), Done()) is APPLIED
        clock.sleep(driver.retry_after * 2)
        assert reserve(driver) == []
        assert driver.counts(["mail"])["mail"].size == 0

    def test_verdicts_come_in_the_order_of_the_settlements(self, driver: Driver, clock: FakeClock) -> None:
        """One stale settlement among good ones gets its GONE and disturbs nobody."""
        push(driver, *(entry() for _ in range(4)))
        one, two, three, four = reserve(driver, room=4)
        settle(driver, two, Done())
        outcomes: list[tuple[Reserved, Outcome]] = [
            (one, Done()),
            (two, Done()),
            (three, Release(60)),
            (four, failure(four, clock)),
        ]
        verdicts, _ = driver.exchange([Settlement(*pair) for pair in outcomes], ["mail"], 0)
        assert verdicts == [APPLIED, GONE, APPLIED, APPLIED]

    def test_hundreds_can_be_settled_in_one_exchange(self, driver: Driver, clock: FakeClock) -> None:
        """Of every kind, each verdict in its place; what follows them can be reserved on the way."""
        push(driver, *(entry() for _ in range(240)))
        held = reserve(driver, room=240)
        settle(driver, held[7], Done())
        outcomes: list[Outcome] = [Done(), Release(60), Done(then=(entry("next"),)), Parked("unknown job", 60)]
        settlements = [Settlement(one, outcomes[place % 4]) for place, one in enumerate(held)]
        settlements[8] = Settlement(held[8], failure(held[8], clock))
        verdicts, got = driver.exchange(settlements, ["next"], 100)
        assert [place for place, verdict in enumerate(verdicts) if verdict is GONE] == [7]
        assert len(got) == 60
        assert driver.counts(["mail"])["mail"].delayed == 60 + 59
        assert driver.failed.count() == 1

    def test_a_batch_of_finished_jobs_with_stale_ones_among_them(self, driver: Driver, clock: FakeClock) -> None:
        """The stale ones get their GONE, in place; the attempts that replaced theirs stay held."""
        push(driver, *(entry() for _ in range(60)))
        stale = reserve(driver, room=2)
        clock.sleep(driver.retry_after + 1)
        held = reserve(driver, room=60)
        batch = [stale[0], *held[2:], stale[1]]
        verdicts, _ = driver.exchange([Settlement(one, Done()) for one in batch], ["mail"], 0)
        assert [place for place, verdict in enumerate(verdicts) if verdict is GONE] == [0, 59]
        assert driver.renew(held[:2]) == []
        assert driver.counts(["mail"])["mail"].size == 2

    @pytest.mark.parametrize("after", [1, 7, 3600])
    def test_a_released_job_is_ready_exactly_then(self, driver: Driver, clock: FakeClock, after: int) -> None:
        """Not one second early, and with one more attempt."""
        push(driver)
        settle(driver, reserve_one(driver), Release(after))
        clock.sleep(after - 1)
        assert reserve(driver) == []
        clock.sleep(1)
        assert reserve_one(driver).attempts == 2

    def test_a_job_released_at_once_is_ready_at_once(self, driver: Driver) -> None:
        """`Release(0)` may be followed by the next reservation in the same exchange."""
        [uuid] = push(driver)
        _, [again] = driver.exchange([Settlement(reserve_one(driver), Release(0))], ["mail"], 1)
        assert (uuid_of(again), again.attempts) == (uuid, 2)

    def test_backoff_is_kept_to_the_second(self, driver: Driver, clock: FakeClock) -> None:
        """Pauses of 10, 30 and 60 seconds between four attempts."""
        push(driver)
        limits, waited = Limits(tries=4, backoff=(10, 30, 60)), []
        for attempt in (1, 2, 3):
            reserved = reserve_one(driver)
            assert reserved.attempts == attempt
            settle(driver, reserved, Release(limits.pause_after(attempt)))
            waited.append(_seconds_until_ready(driver, clock))
        assert waited == [10, 30, 60]
        assert reserve_one(driver).attempts == 4

    def test_a_spared_release_is_not_an_attempt(self, driver: Driver) -> None:
        """However often it is interrupted, the job's first attempt stays its first."""
        push(driver)
        for _ in range(3):
            reserved = reserve_one(driver)
            assert reserved.attempts == 1
            settle(driver, reserved, Release(0, spared=True))
        settle(driver, reserve_one(driver), Release(0))
        assert reserve_one(driver).attempts == 2

    def test_a_parked_job_is_not_an_attempt(self, driver: Driver, clock: FakeClock) -> None:
        """It comes back exactly after its pause, with its attempts as they were."""
        push(driver)
        settle(driver, reserve_one(driver), Release(0))
        settle(driver, reserve_one(driver), Parked("unknown job", 15))
        assert _seconds_until_ready(driver, clock) == 15
        assert reserve_one(driver).attempts == 2

    def test_a_job_never_parked_says_so(self, driver: Driver, clock: FakeClock) -> None:
        """`parked_for` is 0, at a later attempt too."""
        push(driver)
        settle(driver, reserve_one(driver), Release(5))
        clock.sleep(5)
        assert driver.parked_for(reserve_one(driver)) == 0

    def test_parking_remembers_its_beginning(self, driver: Driver, clock: FakeClock) -> None:
        """`parked_for` counts from the first time, over every pause since."""
        push(driver)
        settle(driver, reserve_one(driver), Parked("unknown job", 15))
        clock.sleep(20)
        reserved = reserve_one(driver)
        assert driver.parked_for(reserved) == pytest.approx(20, abs=1)
        settle(driver, reserved, Parked("unknown job", 30))
        clock.sleep(30)
        assert driver.parked_for(reserve_one(driver)) == pytest.approx(50, abs=1)

    def test_parking_is_each_jobs_own(self, driver: Driver, clock: FakeClock) -> None:
        """A neighbour was never parked."""
        push(driver, entry(), entry())
        one, other = reserve(driver, room=2)
        settle(driver, one, Parked("unknown job", 5))
        clock.sleep(5)
        assert driver.parked_for(other) == 0

    def test_what_follows_a_job_is_pushed_when_it_is_done(self, driver: Driver, clock: FakeClock) -> None:
        """`Done.then` in its order, with its queues and delays, in the same step."""
        push(driver)
        then = (entry("next"), entry("next"), entry("later", delay=5))
        assert settle(driver, reserve_one(driver), Done(then=then)) is APPLIED
        assert uuids_of(reserve(driver, "next", "later", room=5)) == [then[0].uuid, then[1].uuid]
        clock.sleep(5)
        assert uuids_of(reserve(driver, "later")) == [then[2].uuid]

    def test_what_follows_a_job_can_be_had_in_the_same_exchange(self, driver: Driver) -> None:
        """A chain loses no time between its links."""
        push(driver)
        then = entry()
        _, [got] = driver.exchange([Settlement(reserve_one(driver), Done(then=(then,)))], ["mail"], 1)
        assert uuid_of(got) == then.uuid

    def test_what_follows_a_job_respects_unique_keys(self, driver: Driver) -> None:
        """A follower whose key is taken is not pushed."""
        unique = Unique("report", 60)
        push(driver, entry(), entry("next", unique=unique))
        settle(driver, reserve_one(driver), Done(then=(entry("next", unique=unique), entry("next"))))
        assert len(reserve(driver, "next", room=5)) == 2

    def test_a_settlement_sent_again_is_gone(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """After an uncertain reply, from another connection even: GONE means that it had been applied."""
        for outcome in (Done(), Release(3600), Release(3600, spared=True), Parked("unknown job", 3600)):
            push(driver)
            reserved = reserve_one(driver)
            assert [settle(driver, reserved, outcome), settle(rival, reserved, outcome)] == [APPLIED, GONE]
        [stored] = push(driver)
        reserved = reserve_one(driver)
        failed = failure(reserved, clock)
        assert [settle(driver, reserved, failed), settle(rival, reserved, failed)] == [APPLIED, GONE]
        assert [job.uuid for job in driver.failed.page().items] == [stored]
        assert driver.counts(["mail"])["mail"].delayed == 3

    def test_what_follows_a_job_is_pushed_once(self, driver: Driver, rival: Driver) -> None:
        """The same `Done` sent twice, in one call and in two, pushes its follower once."""
        push(driver)
        done = Settlement(reserve_one(driver), Done(then=(entry("next"),)))
        assert driver.exchange([done, done], ["mail"], 0)[0][0] is APPLIED
        assert rival.exchange([done], ["mail"], 0)[0] == [GONE]
        assert len(reserve(driver, "next", room=5)) == 1

    def test_a_completed_job_needs_nothing_of_the_store(self, driver: Driver) -> None:
        """Its own transaction has removed it: APPLIED, and others are untouched."""
        push(driver, entry(), entry())
        reserved = reserve_one(driver)
        settle(driver, reserved, Done())  # stands for the job's transaction
        assert settle(driver, reserved, Completed()) is APPLIED
        assert driver.counts(["mail"])["mail"].pending == 1


def _seconds_until_ready(driver: Driver, clock: FakeClock) -> int:
    """Whole seconds until a worker could have the only job; it is looked at, not reserved."""
    for seconds in range(100):
        if driver.counts(["mail"])["mail"].pending:
            return seconds
        clock.sleep(1)
    raise AssertionError("not ready within 100 seconds")
