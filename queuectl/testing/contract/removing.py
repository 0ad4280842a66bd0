"""Undo: what was removed under an operation's id is kept for a day, and goes back as it was, once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, FailedJob, Stored
from queuectl.drivers.removed import KEPT, MOST_KEPT, Restored
from queuectl.jobs.outcome import Done, Failed, Parked, Release
from queuectl.testing.contract.base import (
    APPLIED,
    GONE,
    Contract,
    entry,
    fail_one,
    push,
    record,
    reserve,
    reserve_one,
    settle,
    uuid_of,
    uuids_of,
)
from queuectl.testing.contract.failing import UNDECODABLE

OPERATION, ANOTHER = "op-7k2f9q", "op-another"
Remove = Callable[[Driver], object]
WAITING: dict[str, Remove] = {
    "clear": lambda driver: driver.clear("mail", keep=OPERATION),
    "cancel": lambda driver: driver.cancel(_waiting(driver), keep=OPERATION),
}
FAILED: dict[str, Remove] = {
    "flush": lambda driver: driver.failed.flush(keep=OPERATION),
    "forget": lambda driver: driver.failed.forget([row.id for row in _failed(driver)], keep=OPERATION),
}


class Removing(Contract):
    """Nothing that was kept is lost before its time, and nothing comes back twice."""

    @pytest.mark.parametrize("how", WAITING)
    def test_removed_jobs_go_back_as_they_were(self, driver: Driver, clock: FakeClock, how: str) -> None:
        """Payload, attempts, due time, since when parked, and their order."""
        push(driver, entry(), *(entry() for _ in range(3)), entry(delay=1000))
        first, second = reserve(driver, room=2)
        settle(driver, first, Release(0))
        settle(driver, second, Parked("unknown job", 500))
        before = _waiting(driver)
        WAITING[how](driver)
        assert (_waiting(driver), driver.removed.count(OPERATION)) == ([], 5)
        clock.sleep(60)
        assert driver.removed.put_back(OPERATION) == Restored(jobs=5)
        assert _told(_waiting(driver)) == _told(before)
        assert driver.removed.count(OPERATION) == 0

    @pytest.mark.parametrize("how", FAILED)
    def test_removed_failures_go_back_whole(self, driver: Driver, clock: FakeClock, how: str) -> None:
        """Everything that was known of them, bodies too."""
        for queue in ("mail", "low"):
            fail_one(driver, clock, queue)
            clock.sleep(60)
        before = _failed(driver)
        FAILED[how](driver)
        assert (driver.failed.count(), driver.removed.count(OPERATION)) == (0, 2)
        assert driver.removed.put_back(OPERATION) == Restored(failed=2)
        assert _failed(driver) == before

    @pytest.mark.parametrize("payload", UNDECODABLE)
    def test_what_nobody_can_read_goes_back_byte_for_byte(
        self, driver: Driver, clock: FakeClock, payload: bytes
    ) -> None:
        """Through both stores."""
        push(driver, entry(payload=payload))
        driver.clear("mail", keep=OPERATION)
        driver.removed.put_back(OPERATION)
        reserved = reserve_one(driver)
        assert reserved.payload == payload
        kept = replace(record(reserved, clock), job="")
        settle(driver, reserved, Failed(kept))
        driver.failed.flush(keep=OPERATION)
        driver.removed.put_back(OPERATION)
        found = driver.failed.get(kept.uuid)
        assert found is not None
        assert found.payload == payload

    def test_what_went_back_works(self, driver: Driver, clock: FakeClock) -> None:
        """Jobs are reserved and settled, failures retried."""
        failed = fail_one(driver, clock)
        [uuid] = push(driver)
        driver.failed.flush(keep=OPERATION)
        driver.clear("mail", keep=OPERATION)
        assert driver.removed.put_back(OPERATION) == Restored(jobs=1, failed=1)
        reserved = reserve_one(driver)
        assert (uuid_of(reserved), settle(driver, reserved, Done())) == (uuid, APPLIED)
        assert driver.failed.retry([failed]) == [failed]
        assert uuid_of(reserve_one(driver)) == failed

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

    def test_running_jobs_go_back_only_when_told_to(self, driver: Driver) -> None:
        """They may have finished since; they stay kept, and the answer says how many."""
        uuids = push(driver, entry(), entry(), entry())
        reserved = reserve_one(driver)
        assert driver.clear("mail", keep=OPERATION) == 3
        assert driver.removed.put_back(OPERATION) == Restored(jobs=2, left=1)
        assert driver.removed.put_back(OPERATION) == Restored(left=1)
        assert driver.removed.put_back(OPERATION, running=True) == Restored(jobs=1)
        assert settle(driver, reserved, Done()) is GONE
        again = reserve(driver, room=5)
        assert sorted(uuids_of(again)) == sorted(uuids)
        assert {uuid_of(one): one.attempts for one in again}[uuids[0]] == 2

    def test_a_newer_failure_of_the_same_job_stays(self, driver: Driver, clock: FakeClock) -> None:
        """The old one is dropped, and the others of its operation go back."""
        push(driver, entry(), entry())
        both = [record(reserved, clock) for reserved in reserve(driver, room=2)]
        driver.failed.add(both)
        driver.failed.flush(keep=OPERATION)
        clock.sleep(5)
        driver.failed.add([replace(both[0], attempts=7, failed_at=clock.now())])
        assert driver.removed.put_back(OPERATION) == Restored(failed=1)
        assert {row.uuid: row.attempts for row in _failed(driver)} == {both[0].uuid: 7, both[1].uuid: 1}
        assert driver.removed.count(OPERATION) == 0

    def test_an_older_failure_of_the_same_job_makes_room(self, driver: Driver, clock: FakeClock) -> None:
        """A relay may bring one while the newer is kept."""
        push(driver)
        old = record(reserve_one(driver), clock)
        clock.sleep(5)
        driver.failed.add([replace(old, attempts=7, failed_at=clock.now())])
        driver.failed.flush(keep=OPERATION)
        driver.failed.add([old])
        assert driver.removed.put_back(OPERATION) == Restored(failed=1)
        assert [row.attempts for row in _failed(driver)] == [7]

    def test_an_undo_goes_on_where_it_was_interrupted(self, driver: Driver, clock: FakeClock) -> None:
        """In portions; what is back stays back, and comes once."""
        failed = [fail_one(driver, clock) for _ in range(3)]
        uuids = push(driver, *(entry() for _ in range(4)))
        driver.failed.flush(keep=OPERATION)
        driver.clear("mail", keep=OPERATION)
        portions = [driver.removed.put_back(OPERATION, limit=2) for _ in range(4)]
        assert [portion.more for portion in portions] == [True, True, True, False]
        assert [portion.jobs + portion.failed for portion in portions] == [2, 2, 2, 1]
        assert uuids_of(reserve(driver, room=9)) == uuids
        assert sorted(row.uuid for row in _failed(driver)) == sorted(failed)

    def test_two_operators_who_undo_at_once_bring_each_job_back_once(
        self, driver: Driver, rival: Driver, clock: FakeClock
    ) -> None:
        """Between them they report each once."""
        failed = [fail_one(driver, clock) for _ in range(10)]
        uuids = push(driver, *(entry() for _ in range(10)))
        driver.failed.flush(keep=OPERATION)
        driver.clear("mail", keep=OPERATION)
        with ThreadPoolExecutor(4) as pool:
            answers = [*pool.map(_undo, (driver, rival, driver, rival))]
        answers.append(_undo(driver))
        assert sum(one.jobs for one in answers) == sum(one.failed for one in answers) == 10
        assert sorted(uuids_of(reserve(driver, room=50))) == sorted(uuids)
        assert sorted(row.uuid for row in _failed(driver)) == sorted(failed)

    def test_operations_are_apart(self, driver: Driver, rival: Driver) -> None:
        """One is undone, the other stays; whoever removed it."""
        [mine] = push(driver)
        driver.clear("mail", keep=OPERATION)
        push(driver)
        rival.clear("mail", keep=ANOTHER)
        assert rival.removed.put_back(OPERATION) == Restored(jobs=1)
        assert uuids_of(reserve(driver, room=5)) == [mine]
        assert driver.removed.count(ANOTHER) == 1

    def test_one_operation_may_remove_several_times(self, driver: Driver, clock: FakeClock) -> None:
        """From several queues, in several batches, from both stores; in a queue that has filled up again, too."""
        fail_one(driver, clock, "low")
        push(driver, entry("mail"), entry("low"))
        driver.clear("mail", keep=OPERATION)
        driver.clear("low", keep=OPERATION)
        driver.failed.flush(keep=OPERATION)
        push(driver, entry("mail"))
        assert driver.removed.count(OPERATION) == 3
        assert driver.removed.put_back(OPERATION) == Restored(jobs=2, failed=1)
        assert [counts.pending for counts in driver.counts(["mail", "low"]).values()] == [2, 1]

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

    def test_more_than_a_thousand_can_be_removed_and_put_back(self, driver: Driver, clock: FakeClock) -> None:
        """However a driver divides them."""
        push(driver, *(entry() for _ in range(1100)))
        pattern = record(reserve_one(driver), clock)
        driver.failed.add([replace(pattern, uuid=f"{number:036}") for number in range(600)])
        assert (driver.clear("mail", keep=OPERATION), driver.failed.flush(keep=OPERATION)) == (1100, 600)
        assert driver.removed.count(OPERATION) == 1700
        answers = [driver.removed.put_back(OPERATION)]
        while answers[-1].more:
            answers.append(driver.removed.put_back(OPERATION))
        assert len(answers) >= 4
        assert sum(one.jobs for one in answers) == driver.counts(["mail"])["mail"].size == 1099
        assert sum(one.failed for one in answers) == driver.failed.count() == 600
        assert driver.removed.purge() == answers[-1].left == 1


def _waiting(driver: Driver) -> list[Stored]:
    return [*driver.page("mail", "ready", limit=2000).items, *driver.page("mail", "delayed").items]


def _told(jobs: list[Stored]) -> list[tuple[object, ...]]:
    """What of jobs must not change; ids may."""
    return [(job.queue, job.payload, job.attempts, job.at, job.parked_at) for job in jobs]


def _failed(driver: Driver) -> list[FailedJob]:
    """All there are, whole."""
    found = [driver.failed.get(row.id) for row in driver.failed.page().items]
    return [row for row in found if row is not None]


def _undo(driver: Driver) -> Restored:
    """To its end; the sums."""
    answer = driver.removed.put_back(OPERATION, limit=3)
    jobs, failed = answer.jobs, answer.failed
    while answer.more:
        answer = driver.removed.put_back(OPERATION, limit=3)
        jobs, failed = jobs + answer.jobs, failed + answer.failed
    return Restored(jobs, failed)
