"""How long a reservation holds, and what brings a job back whose worker is gone."""

from __future__ import annotations

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver
from queuectl.jobs.outcome import Done, Release
from queuectl.testing.contract.base import (
    APPLIED,
    Contract,
    entry,
    fail_one,
    push,
    reserve,
    reserve_one,
    settle,
    uuid_of,
)


class Leasing(Contract):
    """A lease of `retry_after` seconds, renewed by the living."""

    def test_a_job_whose_worker_vanished_comes_back(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """After the lease another worker gets the same payload, with one more attempt."""
        [uuid] = push(driver)
        reserve_one(driver)
        clock.sleep(driver.retry_after + 1)
        again = reserve_one(rival)
        assert (uuid_of(again), again.attempts) == (uuid, 2)

    def test_a_lease_is_kept_to_its_end(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """One second before it ends nobody else gets the job, and its worker may settle it."""
        push(driver)
        reserved = reserve_one(driver)
        clock.sleep(driver.retry_after - 1)
        assert reserve(rival) == []
        assert settle(driver, reserved, Done()) is APPLIED

    def test_every_lost_job_comes_back(self, driver: Driver, clock: FakeClock) -> None:
        """A host that died with twenty jobs of two queues gives back twenty."""
        uuids = push(driver, *(entry(queue) for queue in ("mail", "low") for _ in range(10)))
        assert len(reserve(driver, "mail", "low", room=20)) == 20
        clock.sleep(driver.retry_after + 1)
        again = reserve(driver, "mail", "low", room=30)
        assert sorted(uuid_of(reserved) for reserved in again) == sorted(uuids)
        assert {reserved.attempts for reserved in again} == {2}

    def test_a_job_that_loses_every_worker_counts_them(self, driver: Driver, clock: FakeClock) -> None:
        """Attempts are reservations, however they ended."""
        push(driver)
        for attempt in range(1, 6):
            assert reserve_one(driver).attempts == attempt
            clock.sleep(driver.retry_after + 1)

    def test_renewing_keeps_a_job(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """A job may run for many times its lease, and still be settled by the one who has it."""
        push(driver)
        reserved = reserve_one(driver)
        for _ in range(5):
            clock.sleep(driver.retry_after - 1)
            assert driver.renew([reserved]) == []
            assert reserve(rival) == []
        assert settle(driver, reserved, Done()) is APPLIED

    def test_a_renewed_lease_is_a_whole_one(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """It counts from the renewal, and then it ends like any other."""
        push(driver)
        reserved = reserve_one(driver)
        clock.sleep(driver.retry_after - 1)
        driver.renew([reserved])
        clock.sleep(driver.retry_after - 1)
        assert reserve(rival) == []
        clock.sleep(2)
        assert reserve_one(rival).attempts == 2

    def test_renewing_tells_the_lost_from_the_kept(self, driver: Driver, clock: FakeClock) -> None:
        """Those that were settled, or that somebody else has, come back in the answer; the others are renewed."""
        push(driver, *(entry() for _ in range(3)))
        kept, done, taken = reserve(driver, room=3)
        settle(driver, done, Done())
        clock.sleep(driver.retry_after - 1)
        driver.renew([kept])
        clock.sleep(2)
        reserve_one(driver)
        assert driver.renew([kept, done, taken]) == [done, taken]

    def test_renewing_nothing_is_no_trip(self, driver: Driver) -> None:
        """No reservations, none lost."""
        assert driver.renew([]) == []

    def test_renewing_one_leaves_its_neighbour(self, driver: Driver, clock: FakeClock) -> None:
        """A lease is one job's."""
        _, second = push(driver, entry(), entry())
        one, _ = reserve(driver, room=2)
        clock.sleep(driver.retry_after - 1)
        driver.renew([one])
        clock.sleep(2)
        assert [uuid_of(reserved) for reserved in reserve(driver, room=5)] == [second]

    def test_a_late_renewal_keeps_a_job_that_nobody_took(self, driver: Driver, clock: FakeClock) -> None:
        """After an outage the first renewal saves what is still there: the store's own absence costs no attempt."""
        push(driver)
        reserved = reserve_one(driver)
        clock.sleep(driver.retry_after * 3)
        assert driver.renew([reserved]) == []
        assert reserve(driver) == []
        assert settle(driver, reserved, Release(0)) is APPLIED
        assert reserve_one(driver).attempts == 2

    def test_a_released_jobs_old_lease_ends_nothing(self, driver: Driver, clock: FakeClock) -> None:
        """What waits for its backoff is not ready when the former lease would have ended."""
        push(driver)
        settle(driver, reserve_one(driver), Release(driver.retry_after * 4))
        clock.sleep(driver.retry_after * 2)
        assert reserve(driver) == []

    def test_a_failed_jobs_old_lease_brings_nothing_back(self, driver: Driver, clock: FakeClock) -> None:
        """It stays in the failed store and nowhere else."""
        fail_one(driver, clock)
        clock.sleep(driver.retry_after * 2)
        assert reserve(driver) == []
