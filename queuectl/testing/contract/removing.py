"""Removing under an operation's id: what is kept, for how long, and how much of it."""

from __future__ import annotations

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver
from queuectl.drivers.removed import KEPT, MOST_KEPT, Restored
from queuectl.testing.contract.base import (
    Contract,
    entry,
    fail_one,
    push,
    reserve,
    uuids_of,
)

OPERATION, ANOTHER = "op-7k2f9q", "op-another"


class Removing(Contract):
    """What was kept is there for a day; what was not is gone."""

    def test_what_was_removed_for_good_is_not_kept(self, driver: Driver, clock: FakeClock) -> None:
        """Without the id of an operation nothing can be put back."""
        fail_one(driver, clock)
        push(driver, entry(), entry("low"))
        driver.clear("mail")
        driver.cancel(driver.page("low", "ready").items)
        driver.failed.flush()
        assert (driver.removed.purge(), driver.removed.put_back(OPERATION)) == (0, Restored())

    def test_a_retried_failure_is_not_kept(self, driver: Driver, clock: FakeClock) -> None:
        """An undo takes nothing back but what it says."""
        uuid = fail_one(driver, clock)
        driver.failed.flush(before=clock.now() - 1, keep=OPERATION)
        driver.failed.retry([uuid])
        assert driver.removed.count(OPERATION) == 0

    def test_operations_are_apart(self, driver: Driver, rival: Driver) -> None:
        """One is undone, the other stays; whoever removed it."""
        [mine] = push(driver)
        driver.clear("mail", keep=OPERATION)
        push(driver)
        rival.clear("mail", keep=ANOTHER)
        assert rival.removed.put_back(OPERATION) == Restored(jobs=1)
        assert uuids_of(reserve(driver, room=5)) == [mine]
        assert driver.removed.count(ANOTHER) == 1

    def test_an_unknown_operation_puts_nothing_back(self, driver: Driver) -> None:
        """Nor does one with a hostile name."""
        for operation in ("op-nobody", "%", "'", "*", ""):
            assert driver.removed.put_back(operation) == Restored()
            assert (driver.removed.count(operation), driver.removed.purge(operation)) == (0, 0)

    def test_removed_jobs_are_kept_for_a_day(self, driver: Driver, clock: FakeClock) -> None:
        """To the end of it; after it they are gone by themselves."""
        push(driver, entry("mail"), entry("low"))
        driver.clear("mail", keep=OPERATION)
        clock.sleep(KEPT - 10)
        driver.clear("low", keep=ANOTHER)
        assert driver.removed.put_back(OPERATION) == Restored(jobs=1)
        driver.clear("mail", keep=OPERATION)
        clock.sleep(KEPT - 5)
        assert driver.removed.count(OPERATION) == 1
        clock.sleep(10)
        assert (driver.removed.count(OPERATION), driver.removed.put_back(OPERATION)) == (0, Restored())
        assert (driver.removed.count(ANOTHER), driver.removed.put_back(ANOTHER)) == (0, Restored())

    def test_purging_is_for_good(self, driver: Driver, clock: FakeClock) -> None:
        """One operation, or all; it says how many jobs."""
        fail_one(driver, clock)
        push(driver, entry("mail"), entry("mail"), entry("low"))
        driver.clear("mail", keep=OPERATION)
        driver.failed.flush(keep=OPERATION)
        driver.clear("low", keep=ANOTHER)
        assert [driver.removed.purge(OPERATION), driver.removed.purge(OPERATION)] == [3, 0]
        assert (driver.removed.put_back(OPERATION), driver.removed.count(ANOTHER)) == (Restored(), 1)
        assert [driver.removed.purge(), driver.removed.purge()] == [1, 0]

    def test_the_oldest_operations_make_room(self, driver: Driver, clock: FakeClock) -> None:
        """So that what is kept has a bound; the jobs themselves are removed all the same."""
        driver.removed.most = 4
        fail_one(driver, clock)
        driver.failed.flush(keep="op-oldest")
        clock.sleep(1)
        push(driver, *(entry("low") for _ in range(2)))
        driver.clear("low", keep=ANOTHER)
        clock.sleep(1)
        push(driver, *(entry() for _ in range(2)))
        assert driver.clear("mail", keep=OPERATION) == 2
        kept = [driver.removed.count(operation) for operation in ("op-oldest", ANOTHER, OPERATION)]
        assert kept == [0, 2, 2]

    def test_of_an_operation_that_is_too_large_the_newest_jobs_are_kept(self, driver: Driver) -> None:
        """What waited longest makes room."""
        driver.removed.most = 3
        uuids = push(driver, *(entry() for _ in range(5)))
        assert driver.clear("mail", keep=OPERATION) == 5
        assert driver.removed.count(OPERATION) == 3
        driver.removed.put_back(OPERATION)
        assert uuids_of(reserve(driver, room=9)) == uuids[2:]
        assert MOST_KEPT >= 250_000
