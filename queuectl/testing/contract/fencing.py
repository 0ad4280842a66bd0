"""A frozen worker wakes up: whatever it does, the attempt that replaced its own is untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from queuectl.clock import Clock, FakeClock
from queuectl.drivers.contract import Driver, Reserved, Settlement
from queuectl.jobs.outcome import Done, Outcome, Parked, Release, Unique
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
)

KEY = Unique("fenced", ttl=1_000_000)
LATE_OUTCOMES: dict[str, Callable[[Reserved, Clock], Outcome]] = {
    "done": lambda reserved, clock: Done(),
    "done with more": lambda reserved, clock: Done(then=(entry("next"),), unlock=(KEY.key,)),
    "release": lambda reserved, clock: Release(0),
    "release later": lambda reserved, clock: Release(10),
    "spared release": lambda reserved, clock: Release(0, spared=True),
    "failed": lambda reserved, clock: failure(reserved, clock, unlock=(KEY.key,)),
    "parked": lambda reserved, clock: Parked("unknown job", 10),
}


class Fencing(Contract):
    """A stale token changes nothing."""

    @pytest.fixture(params=list(LATE_OUTCOMES.values()), ids=list(LATE_OUTCOMES))
    def late(self, request: pytest.FixtureRequest) -> Callable[[Reserved, Clock], Outcome]:
        """Every outcome that a worker may come too late with."""
        outcome: Callable[[Reserved, Clock], Outcome] = request.param
        return outcome

    def test_a_late_outcome_leaves_its_successor_alone(
        self, driver: Driver, rival: Driver, clock: FakeClock, late: Callable[[Reserved, Clock], Outcome]
    ) -> None:
        """While another worker runs the job: GONE, and that worker's own settlement still counts."""
        frozen, successor = _overtaken(driver, rival, clock)
        assert settle(driver, frozen, late(frozen, clock)) is GONE
        _assert_only(driver, reserved=1)
        assert driver.renew([successor]) == []
        assert settle(rival, successor, Done()) is APPLIED
        _assert_only(driver)

    def test_a_late_outcome_is_told_from_its_successors_own(
        self, driver: Driver, clock: FakeClock, late: Callable[[Reserved, Clock], Outcome]
    ) -> None:
        """In one exchange of a worker that was frozen, and then got its own job again: one verdict each."""
        frozen, successor = _overtaken(driver, driver, clock)
        settlements = [Settlement(frozen, late(frozen, clock)), Settlement(successor, Done())]
        assert driver.exchange(settlements, ["mail"], 0)[0] == [GONE, APPLIED]
        _assert_only(driver)

    def test_a_late_outcome_does_not_bring_a_done_job_back(
        self, driver: Driver, rival: Driver, clock: FakeClock, late: Callable[[Reserved, Clock], Outcome]
    ) -> None:
        """After another worker finished the job: GONE, and nothing is there again."""
        frozen, successor = _overtaken(driver, rival, clock)
        settle(rival, successor, Done())
        assert settle(driver, frozen, late(frozen, clock)) is GONE
        _assert_only(driver)

    def test_a_late_outcome_does_not_touch_a_waiting_job(
        self, driver: Driver, rival: Driver, clock: FakeClock, late: Callable[[Reserved, Clock], Outcome]
    ) -> None:
        """After another worker released the job: GONE, and it waits as that worker said."""
        frozen, successor = _overtaken(driver, rival, clock)
        settle(rival, successor, Release(60))
        assert settle(driver, frozen, late(frozen, clock)) is GONE
        _assert_only(driver, delayed=1)
        clock.sleep(59)
        assert reserve(driver) == []
        clock.sleep(1)
        assert reserve_one(driver).attempts == 3

    def test_a_late_outcome_does_not_touch_a_failed_job(
        self, driver: Driver, rival: Driver, clock: FakeClock, late: Callable[[Reserved, Clock], Outcome]
    ) -> None:
        """After another worker failed the job: GONE, and its record is that worker's."""
        frozen, successor = _overtaken(driver, rival, clock)
        settle(rival, successor, failure(successor, clock))
        clock.sleep(1)
        assert settle(driver, frozen, late(frozen, clock)) is GONE
        _assert_only(driver, failed=1)
        [row] = driver.failed.page().items
        assert row.attempts == 2

    def test_a_late_outcome_does_not_touch_a_retried_job(
        self, driver: Driver, clock: FakeClock, late: Callable[[Reserved, Clock], Outcome]
    ) -> None:
        """After an operator retried the job, at the same number of attempts: GONE."""
        [uuid] = push(driver, entry(unique=KEY))
        first = reserve_one(driver)
        settle(driver, first, failure(first, clock))
        driver.failed.retry([uuid])
        second = reserve_one(driver)
        assert (uuid_of(second), second.attempts) == (uuid, first.attempts)
        assert settle(driver, first, late(first, clock)) is GONE
        _assert_only(driver, reserved=1)
        assert settle(driver, second, Done()) is APPLIED

    def test_a_late_outcome_does_not_touch_a_spared_attempts_successor(
        self, driver: Driver, clock: FakeClock, late: Callable[[Reserved, Clock], Outcome]
    ) -> None:
        """Two attempts of the same number never share a token."""
        push(driver, entry(unique=KEY))
        first = reserve_one(driver)
        settle(driver, first, Release(0, spared=True))
        second = reserve_one(driver)
        assert (second.attempts, second.token != first.token) == (first.attempts, True)
        assert settle(driver, first, late(first, clock)) is GONE
        _assert_only(driver, reserved=1)
        assert settle(driver, second, Done()) is APPLIED

    def test_a_late_outcome_does_not_free_a_key(
        self, driver: Driver, rival: Driver, clock: FakeClock, late: Callable[[Reserved, Clock], Outcome]
    ) -> None:
        """The successor's job still holds it."""
        frozen, successor = _overtaken(driver, rival, clock)
        settle(driver, frozen, late(frozen, clock))
        assert push(driver, entry(unique=KEY)) == [uuid_of(successor)]

    def test_a_late_renewal_is_refused(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """The frozen worker learns that it lost the job, and does not prolong its successor's lease."""
        frozen, _ = _overtaken(driver, rival, clock)
        clock.sleep(driver.retry_after - 2)
        assert driver.renew([frozen]) == [frozen]
        clock.sleep(3)
        assert reserve_one(driver).attempts == 3

    def test_parked_attempts_never_share_a_token(self, driver: Driver, clock: FakeClock) -> None:
        """The token of a parked attempt is stale when the job comes back."""
        push(driver)
        first = reserve_one(driver)
        settle(driver, first, Parked("unknown job", 5))
        clock.sleep(5)
        second = reserve_one(driver)
        assert second.token != first.token
        assert settle(driver, first, Done()) is GONE
        assert settle(driver, second, Done()) is APPLIED

    def test_clearing_a_queue_fences_its_running_jobs(self, driver: Driver, clock: FakeClock) -> None:
        """Their workers settle as GONE, and nothing of them comes back."""
        push(driver, entry(), entry())
        one, two = reserve(driver, room=2)
        driver.clear("mail")
        assert settle(driver, one, Release(0)) is GONE
        assert settle(driver, two, failure(two, clock)) is GONE
        _assert_only(driver)


def _overtaken(driver: Driver, rival: Driver, clock: FakeClock) -> tuple[Reserved, Reserved]:
    """A reservation of a worker that froze for longer than its lease, and that of the worker that took over."""
    push(driver, entry(unique=KEY))
    frozen = reserve_one(driver)
    clock.sleep(driver.retry_after + 1)
    return frozen, reserve_one(rival)


def _assert_only(driver: Driver, *, delayed: int = 0, reserved: int = 0, failed: int = 0) -> None:
    """These jobs and no others are in the store."""
    assert reserve(driver, "next", room=5) == []
    counts = driver.counts(["mail"])["mail"]
    assert (counts.pending, counts.delayed, counts.reserved) == (0, delayed, reserved)
    assert driver.failed.count() == failed
