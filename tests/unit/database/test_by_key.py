"""Rows that are named by their ids are found by them: whoever reads a table whole locks what others want."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.contract import Settlement
from queuectl.drivers.database import DatabaseDriver
from queuectl.drivers.removed import Restored
from queuectl.jobs.outcome import Done, Failed, Release
from queuectl.migrations import migrate
from queuectl.testing.contract.base import APPLIED, entry, record, reserve, reserve_one
from tests.unit.database.conftest import Raw

ROWS = 60
ACTS: dict[str, Callable[[DatabaseDriver, list[str]], int]] = {
    "retry": lambda driver, uuids: len(driver.failed.retry(uuids)),
    "forget": lambda driver, uuids: len(driver.failed.forget(uuids)),
    "forget and keep": lambda driver, uuids: len(driver.failed.forget(uuids, keep="op-7k2f9q")),
}


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def connection(request: pytest.FixtureRequest) -> Connection:
    """Where rows are locked one by one."""
    connection = Connection("database", "database", url=request.getfixturevalue(request.param), timeout=1.0)
    migrate(connection)
    return connection


@pytest.fixture
def url(connection: Connection) -> str:
    return connection.url


@pytest.mark.fault("F39")
@pytest.mark.parametrize("act", ACTS)
def test_a_row_that_somebody_holds_is_in_nobodys_way(
    act: str, driver: DatabaseDriver, raw: Raw, clock: FakeClock
) -> None:
    """Of sixty failed jobs another operator has two; those in between are moved, also where the table is so small that
    a database would rather read all of it: two that do so at once hold each other up, and leave rows behind."""
    driver.push([entry()])
    pattern = record(reserve_one(driver), clock)
    uuids = [f"uuid-{number}" for number in range(ROWS)]
    driver.failed.add([replace(pattern, uuid=uuid) for uuid in uuids])
    raw("begin")
    raw("select id from failed_jobs where uuid in ('uuid-3', 'uuid-50') for update")
    assert ACTS[act](driver, uuids[10:40]) == 30
    assert ACTS[act](driver, uuids) == ROWS - 30 - 2
    raw("rollback")
    assert ACTS[act](driver, uuids) == 2


def test_cancelling_waits_for_nobody(driver: DatabaseDriver, raw: Raw) -> None:
    """What a worker is about to take is left to it."""
    driver.push([entry() for _ in range(ROWS)])
    found = driver.page("mail", "ready").items
    raw("begin")
    raw("select id from jobs where id in (40, 50) for update")
    assert len(driver.cancel(found, keep="op-7k2f9q")) == ROWS - 2
    raw("rollback")
    assert len(driver.cancel(found)) == 2


def test_an_undo_is_in_no_other_ones_way(driver: DatabaseDriver, raw: Raw) -> None:
    """Somebody's undo is frozen; another operation comes back meanwhile."""
    for operation in ("op-1", "op-2"):
        driver.push([entry() for _ in range(ROWS)])
        driver.clear("mail", keep=operation)
    raw("set transaction isolation level read committed")
    raw("begin")
    raw("delete from queuectl_removed where operation = 'op-1'")
    assert driver.removed.put_back("op-2") == Restored(jobs=ROWS)
    driver.clear("mail", keep="op-3")
    raw("rollback")
    assert driver.removed.count("op-1") == ROWS


@pytest.mark.fault("F24")
def test_a_sweep_waits_for_nobody(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """Thirty leases have ended; of thirty jobs that are waiting, somebody holds two."""
    driver.push([entry() for _ in range(ROWS)])
    reserve(driver, room=ROWS // 2)
    clock.sleep(driver.retry_after + 1)
    raw("begin")
    raw("select id from jobs where id in (40, 50) for update")
    assert len(reserve(driver, room=ROWS)) == ROWS - 2


@pytest.mark.fault("F24", "F39")
def test_no_outcome_waits_for_a_retry(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """Somebody's `retry all` is frozen, a failed job deleted and its new row not there yet. Whoever finishes, releases
    or fails jobs meanwhile, and reserves the next one with that, is served at once: leases would not wait."""
    driver.push([entry() for _ in range(5)])
    done, released, failed, buried = reserve(driver, room=4)
    driver.failed.add([record(buried, clock)])
    raw("set transaction isolation level read committed")  # as ours, of the next one
    raw("begin")
    raw("insert into jobs (queue, payload, attempts, available_at, created_at) values ('mail', '{}', 0, 1, 1)")
    raw("delete from failed_jobs")
    outcomes = {done: Done(), released: Release(60), failed: Failed(record(failed, clock))}
    settlements = [Settlement(*settled) for settled in outcomes.items()]
    verdicts, reserved = driver.exchange(settlements, ["mail"], 2)
    assert verdicts == [APPLIED] * 3
    assert len(reserved) == 1
    raw("rollback")
