"""Tables of the first level are brought to the second while workers of the first go on with them."""

from __future__ import annotations

import pytest

from queuectl.config import Connection
from queuectl.drivers.contract import Reserved
from queuectl.drivers.database import DatabaseDriver
from queuectl.errors import TableMissing
from queuectl.jobs.fingerprint import fingerprint
from queuectl.jobs.outcome import Done, Problem
from queuectl.migrations import migrate, pending
from queuectl.testing.contract.base import APPLIED, entry, reserve_one, settle
from tests.unit.database.conftest import Raw

FAIL = (  # as a worker of the first level says it
    "insert into failed_jobs (uuid, connection, queue, payload, exception, failed_at, job, error, message, attempts,"
    " failed_time) values (?, 'database', 'mail', '{}', 'E: no user 17', '2026-01-02 03:04:05', 'Mail', 'E',"
    " 'no user 17', 3, 1767323045.5)"
)


@pytest.fixture
def reserved(driver: DatabaseDriver) -> Reserved:
    """A job that a worker has."""
    driver.push([entry()])
    return reserve_one(driver)


@pytest.fixture
def level_one(driver: DatabaseDriver, raw: Raw) -> Raw:
    """What is new on the second level is gone, and the database remembers the first."""
    raw("alter table failed_jobs drop column fingerprint")
    raw("alter table failed_jobs drop column place")
    raw("drop table queuectl_removed")
    raw(f"update queuectl_control set value = '1' where {'`key`' if raw.name == 'mysql' else 'key'} = 'schema:level'")
    return raw


def test_what_the_second_level_needs_is_said_at_once(level_one: Raw, driver: DatabaseDriver) -> None:
    """Before a worker takes its first job."""
    with pytest.raises(TableMissing):
        driver.check()


def test_workers_of_the_first_level_go_on(
    reserved: Reserved, level_one: Raw, driver: DatabaseDriver, connection: Connection
) -> None:
    """With the jobs in their hands, and with failures written as they know how to."""
    level_one(FAIL, "before")
    assert pending(connection)
    assert migrate(connection)[:3] == [
        "added the column failed_jobs.fingerprint",
        "added the column failed_jobs.place",
        "created the table queuectl_removed",
    ]
    assert not pending(connection)
    level_one(FAIL, "after")
    assert settle(driver, reserved, Done()) is APPLIED
    driver.check()


def test_failures_of_the_first_level_have_a_fingerprint(
    level_one: Raw, driver: DatabaseDriver, connection: Connection
) -> None:
    """The one that their listing gives; and they can be removed and put back."""
    level_one(FAIL, "before")
    migrate(connection)
    [row] = driver.failed.page().items
    assert row.fingerprint == fingerprint("Mail", Problem("E", "no user 4711", ""))
    driver.failed.flush(keep="op-1")
    driver.removed.put_back("op-1")
    assert driver.failed.page().items == [row]
