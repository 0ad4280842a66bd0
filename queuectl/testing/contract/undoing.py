"""Undo: what was kept goes back as it was, once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, FailedJob, Settlement, Stored
from queuectl.drivers.removed import Restored
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
from queuectl.testing.contract.removing import OPERATION

Remove = Callable[[Driver], object]
WAITING: dict[str, Remove] = {
    "clear": lambda driver: driver.clear("mail", keep=OPERATION),
    "cancel": lambda driver: driver.cancel(_waiting(driver), keep=OPERATION),
}
FAILED: dict[str, Remove] = {
    "flush": lambda driver: driver.failed.flush(keep=OPERATION),
    "forget": lambda driver: driver.failed.forget([row.id for row in _failed(driver)], keep=OPERATION),
}


class Undoing(Contract):
    """Nothing that was kept is lost on its way back, and nothing comes back twice."""

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

    def test_what_nobody_can_read_goes_back_byte_for_byte(self, driver: Driver, clock: FakeClock) -> None:
        """Through both stores."""
        push(driver, *(entry(payload=payload) for payload in UNDECODABLE))
        driver.clear("mail", keep=OPERATION)
        driver.removed.put_back(OPERATION)
        found = reserve(driver, room=9)
        assert sorted(reserved.payload for reserved in found) == sorted(UNDECODABLE)
        for reserved in found:
            settle(driver, reserved, Failed(replace(record(reserved, clock), job="")))
        driver.failed.flush(keep=OPERATION)
        driver.removed.put_back(OPERATION)
        assert sorted(row.payload for row in _failed(driver)) == sorted(UNDECODABLE)

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

    def test_what_a_worker_finishes_meanwhile_does_not_come_back(self, driver: Driver, rival: Driver) -> None:
        """Of each job there is an end that counted or a kept one, however the two fall together."""
        uuids = push(driver, *(entry() for _ in range(90)))
        with ThreadPoolExecutor(2) as pool:
            working = pool.submit(_work_through, rival)
            driver.clear("mail", keep=OPERATION)
        done = working.result()
        assert driver.removed.count(OPERATION) == len(uuids) - len(done)
        driver.removed.put_back(OPERATION, running=True)
        assert sorted(uuids_of(reserve(driver, room=100)) + done) == sorted(uuids)

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


def _work_through(driver: Driver) -> list[str]:
    """Finish what there is, a few at a time; the uuids of those whose end counted."""
    done: list[str] = []
    held = reserve(driver, room=3)
    while held:
        verdicts, more = driver.exchange([Settlement(reserved, Done()) for reserved in held], ["mail"], 3)
        done += [uuid_of(one) for one, verdict in zip(held, verdicts, strict=True) if verdict is APPLIED]
        held = more
    return done


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
