"""What operators learn of single jobs, and of what failures have in common."""

from __future__ import annotations

from dataclasses import replace

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, State, Stored
from queuectl.jobs.fingerprint import fingerprint
from queuectl.jobs.outcome import Entry, Failed, Parked, Problem, Release
from queuectl.jobs.payload import identity, new_uuid, to_json
from queuectl.testing.contract.base import (
    Contract,
    entry,
    fail_one,
    push,
    record,
    reserve,
    reserve_one,
    settle,
    uuid_of,
)

STATES: tuple[State, ...] = ("ready", "delayed", "reserved")
NO_KEYS = ["", "%", "_", "*", "0", "-1", "'", '"', "\\", "x' OR 1=1", "9" * 30, "é", "\0"]


class Looking(Contract):
    """A job is found wherever it is, and looking at it changes nothing."""

    def test_a_job_is_found_by_its_uuid_in_every_state(self, driver: Driver) -> None:
        """In whatever queue; it is told as its page tells it."""
        reserved, ready, delayed = push(driver, entry("busy"), entry("mail"), entry("low", delay=60))
        reserve_one(driver, "busy")
        found = _by_uuid(driver.find([delayed, reserved, ready]))
        pages = [driver.page(queue, state).items for queue in ("busy", "mail", "low") for state in STATES]
        assert found == _by_uuid([stored for page in pages for stored in page])
        assert [found[uuid].state for uuid in (ready, delayed, reserved)] == list(STATES)

    def test_a_job_is_found_by_its_short_id(self, driver: Driver) -> None:
        """By what listings call it; for a store without short ids that is its uuid or its payload's id."""
        push(driver, entry(), entry())
        first, _ = driver.page("mail", "ready").items
        assert driver.find([first.id]) == [first]

    def test_what_is_not_here_is_not_found(self, driver: Driver, clock: FakeClock) -> None:
        """Unknown keys, hostile ones, and jobs that have failed."""
        failed = fail_one(driver, clock)
        push(driver)
        assert driver.find([new_uuid(), failed, *NO_KEYS]) == []
        assert driver.find([]) == []

    def test_each_is_found_once(self, driver: Driver) -> None:
        """However often, and under whatever names, it is asked for."""
        [uuid] = push(driver)
        [stored] = driver.page("mail", "ready").items
        assert driver.find([uuid, stored.id, uuid]) == [stored]

    def test_a_uuid_among_the_arguments_of_another_job_is_not_that_job(self, driver: Driver) -> None:
        """Only who is called so is meant."""
        [uuid] = push(driver)
        push(driver, entry(arguments=f'{{"uuid":"{uuid}"}}'))
        assert [identity(stored.payload)[0] for stored in driver.find([uuid])] == [uuid]

    def test_a_job_of_another_program_is_found(self, driver: Driver) -> None:
        """Wherever in its payload it says how it is called."""
        uuids = ["a_50%!", new_uuid()]
        push(driver, *(Entry("mail", to_json({"job": "Mail", "data": {}, "uuid": uuid}), uuid) for uuid in uuids))
        assert [identity(stored.payload)[0] for uuid in uuids for stored in driver.find([uuid])] == uuids

    def test_many_are_found_among_many(self, driver: Driver) -> None:
        """In however many steps a driver looks."""
        uuids = push(driver, *(entry(queue) for _ in range(150) for queue in ("mail", "low")))
        found = _by_uuid(driver.find(uuids[::2]))
        assert sorted(found) == sorted(uuids[::2])
        assert {stored.queue for stored in found.values()} == {"mail"}

    def test_finding_changes_nothing(self, driver: Driver) -> None:
        """No attempt is counted and no place is lost."""
        uuids = push(driver, entry(), entry())
        driver.find(uuids)
        assert [(uuid_of(one), one.attempts) for one in reserve(driver, room=2)] == [(uuid, 1) for uuid in uuids]

    def test_a_parked_job_tells_since_when(self, driver: Driver, clock: FakeClock) -> None:
        """The first time counts, also once it is due, and nothing while a worker has it."""
        since = clock.now()
        push(driver)
        settle(driver, reserve_one(driver), Parked("unknown job", 10))
        [parked] = driver.page("mail", "delayed").items
        assert parked.parked_at == pytest.approx(since, abs=1)
        clock.sleep(30)
        [ready] = driver.page("mail", "ready").items
        assert ready.parked_at == pytest.approx(since, abs=1)
        again = reserve_one(driver)
        assert driver.page("mail", "reserved").items[0].parked_at is None
        settle(driver, again, Parked("unknown job", 10))
        assert driver.page("mail", "delayed").items[0].parked_at == pytest.approx(since, abs=1)

    def test_jobs_that_wait_for_other_reasons_are_not_parked(self, driver: Driver) -> None:
        """Delayed, ready, released, also after it was parked."""
        push(driver, entry(), entry(delay=60))
        settle(driver, reserve_one(driver), Parked("unknown job", 0))
        settle(driver, reserve_one(driver), Release(60))
        push(driver)
        listed = [stored for state in STATES for stored in driver.page("mail", state).items]
        assert [stored.parked_at for stored in listed] == [None] * 3

    def test_failures_of_one_cause_share_a_fingerprint(self, driver: Driver, clock: FakeClock) -> None:
        """In listings and alone; another place is another cause."""
        first = _fail(driver, clock, "no user 17", "orders.py:charge")
        second = _fail(driver, clock, "no user 4711", "orders.py:charge")
        third = _fail(driver, clock, "no user 17", "mail.py:send")
        listed = {row.uuid: (row.fingerprint, row.place) for row in driver.failed.page().items}
        expected = fingerprint("SendWelcome", Problem("builtins.ValueError", "no user 1", "", "orders.py:charge"))
        assert listed[first] == listed[second] == (expected, "orders.py:charge")
        assert listed[third][0] != expected
        alone = driver.failed.get(first)
        assert alone is not None
        assert (alone.fingerprint, alone.place) == (expected, "orders.py:charge")


def _by_uuid(found: list[Stored]) -> dict[str, Stored]:
    by_uuid = {identity(stored.payload)[0]: stored for stored in found}
    assert len(by_uuid) == len(found)
    return by_uuid


def _fail(driver: Driver, clock: FakeClock, message: str, place: str) -> str:
    push(driver)
    reserved = reserve_one(driver)
    kept = record(reserved, clock, message=message)
    settle(driver, reserved, Failed(replace(kept, problem=replace(kept.problem, place=place))))
    return kept.uuid
