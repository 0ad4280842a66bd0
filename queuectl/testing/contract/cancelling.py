"""Cancelling: what still waits exactly as it was found is deleted, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver
from queuectl.jobs.outcome import Done, Parked, Release
from queuectl.jobs.payload import identity
from queuectl.testing.contract.base import (
    APPLIED,
    Contract,
    entry,
    push,
    reserve,
    reserve_one,
    settle,
    uuid_of,
    uuids_of,
)


class Cancelling(Contract):
    """An operator and a worker never both have a job."""

    def test_cancelled_jobs_are_gone_and_answered_for(self, driver: Driver) -> None:
        """Ready, delayed and parked ones, of several queues; others stay where they are."""
        push(driver, entry("parked"))
        settle(driver, reserve_one(driver, "parked"), Parked("unknown job", 60))
        push(driver, entry("mail"), entry("mail", delay=60))
        _, *kept = push(driver, entry("low"), entry("low"), entry("low"))
        chosen = [
            *driver.page("mail", "ready").items,
            *driver.page("mail", "delayed").items,
            *driver.page("parked", "delayed").items,
            driver.page("low", "ready").items[0],
        ]
        assert _sorted(driver.cancel(chosen)) == _sorted(chosen)
        assert [counts.size for counts in driver.counts(["mail", "parked", "low"]).values()] == [0, 0, 2]
        assert uuids_of(reserve(driver, "mail", "low", room=5)) == kept

    def test_cancelling_again_does_nothing(self, driver: Driver) -> None:
        """The second call, and the second mention in one call."""
        push(driver)
        found = driver.page("mail", "ready").items
        assert driver.cancel(found * 2) == found
        assert driver.cancel(found) == []
        assert driver.cancel([]) == []

    def test_a_job_that_a_worker_has_taken_is_left_to_it(self, driver: Driver) -> None:
        """Whether it was reserved when it was found, or has been since."""
        push(driver)
        found = driver.page("mail", "ready").items
        reserved = reserve_one(driver)
        assert driver.cancel([*found, *driver.page("mail", "reserved").items]) == []
        assert settle(driver, reserved, Done()) is APPLIED

    def test_a_job_that_has_been_tried_meanwhile_is_left_alone(self, driver: Driver, clock: FakeClock) -> None:
        """It is not what somebody looked at and chose."""
        [uuid] = push(driver)
        found = driver.page("mail", "ready").items
        settle(driver, reserve_one(driver), Release(10))
        assert driver.cancel(found) == []
        clock.sleep(10)
        assert driver.cancel(found) == []
        assert uuid_of(reserve_one(driver)) == uuid

    def test_a_job_that_has_been_postponed_meanwhile_is_left_alone(self, driver: Driver) -> None:
        """Though no attempt was counted."""
        push(driver)
        found = driver.page("mail", "ready").items
        settle(driver, reserve_one(driver), Release(60, spared=True))
        assert driver.cancel(found) == []

    def test_a_job_that_has_become_due_meanwhile_is_still_the_same(self, driver: Driver, clock: FakeClock) -> None:
        """It waits; for a worker instead of its time."""
        push(driver, entry(delay=60))
        found = driver.page("mail", "delayed").items
        clock.sleep(61)
        assert [stored.id for stored in driver.cancel(found)] == [found[0].id]

    def test_a_job_whose_lease_ran_out_can_be_cancelled(self, driver: Driver, clock: FakeClock) -> None:
        """Once it is back among those that wait; its late worker then settles nothing."""
        push(driver, entry(), entry())
        late = {uuid_of(reserved): reserved for reserved in reserve(driver, room=2)}
        clock.sleep(driver.retry_after + 1)
        reserve_one(driver)  # one of them; on the way the queue is swept
        [stored] = driver.page("mail", "ready").items
        assert (stored.attempts, driver.cancel([stored])) == (1, [stored])
        assert settle(driver, late[identity(stored.payload)[0]], Done()) is not APPLIED

    def test_operators_and_workers_at_once_share_the_jobs_out(self, driver: Driver, rival: Driver) -> None:
        """Each job is cancelled by one operator or handed to one worker."""
        uuids = push(driver, *(entry() for _ in range(40)))
        found = driver.page("mail", "ready").items
        with ThreadPoolExecutor(4) as pool:
            cancelling = [pool.submit(one.cancel, found) for one in (driver, rival)]
            working = [pool.submit(reserve, one, room=15) for one in (rival, driver)]
        cancelled = [identity(stored.payload)[0] for one in cancelling for stored in one.result()]
        taken = [uuid_of(reserved) for one in working for reserved in one.result()]
        left = uuids_of(reserve(driver, room=50))
        assert sorted(cancelled + taken + left) == sorted(uuids)

    def test_a_job_nobody_can_read_can_be_cancelled(self, driver: Driver) -> None:
        """By the listing that shows it."""
        push(driver, entry(payload=b"\xff\xfe\x00binary"), entry(payload=b"{}"))
        found = driver.page("mail", "ready").items
        assert _sorted(driver.cancel(found)) == _sorted(found)


def _sorted(jobs: Sequence[object]) -> list[str]:
    return sorted(map(repr, jobs))
