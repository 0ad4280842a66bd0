"""In which order jobs are handed out, and how many."""

from __future__ import annotations

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Settlement
from queuectl.jobs.outcome import Done, Release
from queuectl.testing.contract.base import APPLIED, Contract, entry, push, reserve, reserve_one, settle, uuids_of


class Ordering(Contract):
    """Queues strictly left to right, each first in, first out."""

    def test_first_in_first_out(self, driver: Driver) -> None:
        """Jobs of one push, and of later ones, are reserved in the order they were pushed."""
        uuids = push(driver, *(entry() for _ in range(5))) + push(driver) + push(driver)
        assert [uuids_of(reserve(driver))[0] for _ in uuids] == uuids

    def test_many_at_once_keep_their_order(self, driver: Driver) -> None:
        """One call for several gets the oldest, oldest first."""
        uuids = push(driver, *(entry() for _ in range(8)))
        assert uuids_of(reserve(driver, room=5)) == uuids[:5]

    def test_queues_are_emptied_left_to_right(self, driver: Driver) -> None:
        """The second queue gets its turn when the first has nothing ready, however old its jobs are."""
        low = push(driver, entry("low"), entry("low"))
        high = push(driver, entry("high"), entry("high"))
        got = [uuids_of(reserve(driver, "high", "low"))[0] for _ in range(4)]
        assert got == high + low

    def test_one_call_takes_from_several_queues_in_order(self, driver: Driver) -> None:
        """Room for three: all of the first queue, then the second."""
        low = push(driver, entry("low"), entry("low"))
        high = push(driver, entry("high"), entry("high"))
        assert uuids_of(reserve(driver, "high", "empty", "low", room=3)) == [*high, low[0]]

    def test_a_delayed_job_does_not_hold_its_queue(self, driver: Driver) -> None:
        """What is ready goes first, and a lower queue goes before a delayed job of a higher one."""
        push(driver, entry("high", delay=60))
        ready = push(driver, entry("high")) + push(driver, entry("low"))
        assert uuids_of(reserve(driver, "high", "low", room=5)) == ready

    def test_only_the_named_queues_are_touched(self, driver: Driver) -> None:
        """A name is a whole name: neither a prefix nor a pattern."""
        push(driver, entry("mail-high"), entry("mail:high"), entry("mai"))
        assert reserve(driver, "mail", "mail-", room=5) == []

    def test_delayed_jobs_come_in_the_order_they_fall_due(self, driver: Driver, clock: FakeClock) -> None:
        """Not in the order they were pushed."""
        [late] = push(driver, entry(delay=20))
        [soon] = push(driver, entry(delay=10))
        clock.sleep(30)
        assert uuids_of(reserve(driver, room=2)) == [soon, late]

    def test_a_released_job_stands_behind_those_that_were_ready_before(self, driver: Driver, clock: FakeClock) -> None:
        """Going back is joining the queue again."""
        first, second = push(driver, entry(), entry())
        reserved = reserve_one(driver)
        clock.sleep(1)
        settle(driver, reserved, Release(5))
        clock.sleep(5)
        assert uuids_of(reserve(driver, room=2)) == [second, first]

    def test_no_more_than_the_room_is_reserved(self, driver: Driver) -> None:
        """The rest stays ready for others, its attempts untouched."""
        push(driver, *(entry() for _ in range(5)))
        assert len(reserve(driver, room=2)) == 2
        assert len(reserve(driver, room=0)) == 0
        rest = reserve(driver, room=10)
        assert [reserved.attempts for reserved in rest] == [1, 1, 1]

    def test_one_exchange_settles_and_reserves(self, driver: Driver) -> None:
        """Outcomes in, verdicts and next jobs out, in one call."""
        first, second, third = push(driver, entry(), entry(), entry())
        one, two = reserve(driver, room=2)
        verdicts, [next_one] = driver.exchange([Settlement(one, Done()), Settlement(two, Release(60))], ["mail"], 3)
        assert verdicts == [APPLIED, APPLIED]
        assert uuids_of([one, two, next_one]) == [first, second, third]

    def test_a_reserved_job_is_nobody_elses(self, driver: Driver, rival: Driver) -> None:
        """Until it is settled or its lease ends, no other call gets it."""
        push(driver)
        reserve_one(driver)
        assert reserve(driver, room=5) == reserve(rival, room=5) == []
