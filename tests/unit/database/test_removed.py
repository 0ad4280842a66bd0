"""Rows that were removed lie beside the tables they came from, and go back under their own numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.database import DatabaseDriver, portions, removed
from queuectl.drivers.removed import KEPT, Restored
from queuectl.migrations import migrate
from queuectl.testing.contract.base import entry, fail_one, record, reserve, reserve_one
from tests.unit.database import laravel
from tests.unit.database.conftest import Raw

OPERATION = "op-7k2f9q"


def test_rows_go_back_under_their_own_numbers(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """What an operator has written down before still means the same."""
    fail_one(driver, clock)
    driver.push([entry(), entry()])
    before = (raw("select * from jobs order by id"), raw("select * from failed_jobs"))
    driver.clear("mail", keep=OPERATION)
    driver.failed.flush(keep=OPERATION)
    driver.removed.put_back(OPERATION)
    assert (raw("select * from jobs order by id"), raw("select * from failed_jobs")) == before


def test_a_number_that_is_taken_is_left_to_who_has_it(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """As where a table was truncated and begins to count anew."""
    fail_one(driver, clock)
    driver.push([entry(), entry()])
    [failed], [first, second] = driver.failed.page().items, driver.page("mail", "ready").items
    driver.clear("mail", keep=OPERATION)
    driver.failed.flush(keep=OPERATION)
    raw(
        "insert into jobs (id, queue, payload, attempts, available_at, created_at) values (?, 'x', '{}', 0, 1, 1)",
        first.id,
    )
    raw(
        "insert into failed_jobs (id, uuid, connection, queue, payload, exception) values (?, 'u', 'c', 'q', '{}', '')",
        failed.id,
    )
    assert driver.removed.put_back(OPERATION) == Restored(jobs=2, failed=1)
    found = {stored.payload: stored.id for stored in driver.page("mail", "ready").items}
    assert found[second.payload] == second.id
    assert found[first.payload] not in (first.id, second.id)
    assert {row.uuid for row in driver.failed.page().items} == {"u", failed.uuid}


def test_what_laravel_wrote_goes_back_as_it_was(connection: Connection, raw: Raw, clock: FakeClock) -> None:
    """Into the tables that Laravel made, with a uuid or without one."""
    for statement in (*laravel.JOBS[raw.name], *laravel.FAILED_JOBS[raw.name]):
        raw(statement)
    migrate(connection)
    driver = DatabaseDriver.from_config(connection, clock=clock)
    raw(laravel.PUSH, "default", laravel.STRING_JOB, 3, 3)
    raw(laravel.FAIL, "b1a6", "database", "default", laravel.PHP_JOB, laravel.EXCEPTION, "2026-01-02 03:04:05")
    before = (raw("select * from jobs"), raw("select * from failed_jobs"))
    driver.clear("default", keep=OPERATION)
    driver.failed.flush(keep=OPERATION)
    assert driver.removed.put_back(OPERATION) == Restored(jobs=1, failed=1)
    assert (raw("select * from jobs"), raw("select * from failed_jobs")) == before
    driver.close()


def test_workers_forget_what_has_been_kept_for_long_enough(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """On their way, though nobody removes anything more."""
    driver.push([entry("mail"), entry("low")])
    driver.clear("mail", keep=OPERATION)
    clock.sleep(KEPT - 100)
    driver.clear("low", keep=OPERATION)
    clock.sleep(101)
    reserve(driver)
    assert raw("select queue from queuectl_removed") == [("low",)]


def test_what_is_large_goes_in_portions(
    driver: DatabaseDriver, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction copies so many bytes and no more; a job that is larger goes alone."""
    monkeypatch.setattr(portions, "LARGEST", 10_000)
    driver.push([entry(arguments=f'"{"x" * size}"') for size in (4_000, 4_000, 20_000, 10)])
    pattern = record(reserve_one(driver), clock)
    driver.failed.add([replace(pattern, uuid=f"uuid-{number}") for number in range(7)])
    found = [row.uuid for row in driver.failed.page().items]
    assert sorted(driver.failed.forget(found[:3], keep=OPERATION)) == sorted(found[:3])
    assert driver.failed.flush(keep=OPERATION) == 4
    assert len(driver.cancel(driver.page("mail", "ready").items, keep=OPERATION)) == 3
    assert driver.clear("mail", keep=OPERATION) == 1
    answers = [driver.removed.put_back(OPERATION, running=True)]
    while answers[-1].more:
        answers.append(driver.removed.put_back(OPERATION, running=True))
    assert len(answers) > 5
    assert (sum(one.jobs for one in answers), sum(one.failed for one in answers)) == (4, 7)


def test_room_is_counted_now_and_then(driver: DatabaseDriver, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others keep is seen, a little later, by who keeps something himself."""
    monkeypatch.setattr(removed, "UNCOUNTED", 2)
    driver.removed.most = 5
    for number in range(4):
        driver.push([entry()])
        driver.clear("mail", keep=f"op-{number}")
    raw(
        "insert into queuectl_removed (operation, source, kept_until, running, row_id, queue, payload)"
        " select 'op-others', source, kept_until, running, row_id, queue, payload from queuectl_removed"
    )
    for number in range(4, 8):
        driver.push([entry()])
        driver.clear("mail", keep=f"op-{number}")
    [(count,)] = raw("select count(*) from queuectl_removed")
    assert count <= 5 + 2
    assert driver.removed.count("op-7") == 1
