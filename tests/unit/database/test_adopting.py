"""Adopted tables at work, and migrations that meet workers, forgotten consoles and their own past."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.contract import Settlement
from queuectl.drivers.database import DatabaseDriver
from queuectl.errors import ConfigurationError, DriverUnavailable, TableMissing
from queuectl.jobs.outcome import Done
from queuectl.jobs.payload import identity
from queuectl.migrations import ddl, migrate, pending
from queuectl.testing.contract.base import entry, failure, push, reserve
from tests.unit.database.conftest import Raw
from tests.unit.database.laravel import EXCEPTION, FAIL, FAILED_JOBS, JOBS, PHP_JOB, PUSH, STRING_JOB


@pytest.fixture
def laravels(raw: Raw) -> Raw:
    """A database that Laravel made, with rows in it."""
    for statement in (*JOBS[raw.name], *FAILED_JOBS[raw.name]):
        raw(statement)
    raw(PUSH, "mail", STRING_JOB, 1_700_000_000, 1_700_000_000)
    raw(PUSH, "mail", PHP_JOB, 1_700_000_000, 1_700_000_000)
    raw("update jobs set reserved_at = 1700000001, attempts = 3 where id = 2")
    raw(FAIL, "b1a6", "database", "mail", PHP_JOB, EXCEPTION, "2027-01-15 08:00:00")
    return raw


def test_an_adopted_table_works(connection: Connection, laravels: Raw, clock: FakeClock) -> None:
    """Jobs that Laravel pushed are reserved, settled and failed."""
    migrate(connection)
    with closing(DatabaseDriver.from_config(connection, clock=clock)) as driver:
        first, second = reserve(driver, room=5)
        assert (first.payload.decode(), second.attempts) == (STRING_JOB, 4)
        driver.exchange([Settlement(first, Done()), Settlement(second, failure(second, clock))], [], 0)
        assert driver.counts() == {}
        [failed] = driver.failed.page().items  # in the place of the row that Laravel wrote about the same job
        assert (failed.uuid, failed.job, failed.attempts) == (identity(second.payload)[0], r"App\Jobs\Mail", 4)


def test_a_counter_that_holds_little_stops_at_its_end(connection: Connection, laravels: Raw, clock: FakeClock) -> None:
    """`attempts` of an old table ends at 255 on MySQL: the job is handed out all the same."""
    migrate(connection)
    laravels("update jobs set attempts = 255, reserved_at = null")
    with closing(DatabaseDriver.from_config(connection, clock=clock)) as driver:
        attempts = {reserved.attempts for reserved in reserve(driver, room=5)}
        assert attempts == {255 if laravels.name == "mysql" else 256}


def test_laravels_table_on_mysql_gets_the_shared_index_only_when_asked(mariadb_url: str) -> None:
    """Laravel's own query can deadlock with it."""
    connection = Connection("database", "database", url=mariadb_url)
    with closing(Raw(mariadb_url)) as raw:
        for statement in JOBS["mysql"]:
            raw(statement)
        assert "created the index jobs_ready_index" not in migrate(connection)
        assert (migrate(connection), pending(connection)) == ([], False)
        assert migrate(connection, shared_index=True) == ["created the index jobs_ready_index"]


def test_other_table_names_are_kept(connection: Connection, clock: FakeClock) -> None:
    """Two applications share a database."""
    other = replace(connection, table="hr_jobs", failed_table="hr_failed")
    migrate(connection)
    assert "created the table hr_jobs" in migrate(other, notifications_table="hr_notes")
    with (
        closing(DatabaseDriver.from_config(connection, clock=clock)) as ours,
        closing(DatabaseDriver.from_config(other, clock=clock)) as theirs,
    ):
        push(theirs)
        assert (ours.counts(), theirs.counts(["mail"])["mail"].pending) == ({}, 1)
        assert ours.place != theirs.place


@pytest.mark.fault("F32")
def test_tables_of_a_newer_version_are_refused(connection: Connection, raw: Raw) -> None:
    """An older program does not know what it would break."""
    migrate(connection)
    raw("update queuectl_control set value = '999'")
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate(connection)


@pytest.mark.fault("F32")
def test_a_worker_drains_while_its_table_is_adopted(connection: Connection, raw: Raw, clock: FakeClock) -> None:
    """No job is lost, and the worker meets no error that it could not wait out."""
    migrate(connection)
    raw("alter table jobs drop column parked_at")
    with closing(DatabaseDriver.from_config(connection, clock=clock)) as driver:
        driver.push([entry() for _ in range(200)])
        worker = threading.Thread(target=_drain, args=(driver, seen := []))
        worker.start()
        done = migrate(connection)
        worker.join()
    assert done == ["added the column jobs.parked_at"]
    assert len(seen) == len(set(seen)) == 200


@pytest.mark.fault("F32")
def test_an_index_of_a_live_table_is_built_beside_its_writers(postgres_url: str) -> None:
    """PostgreSQL: concurrently if there are rows; what a failed attempt left is dropped first."""
    connection = Connection("database", "database", url=postgres_url)
    migrate(connection)
    with closing(Raw(postgres_url)) as raw:
        raw(PUSH, "mail", STRING_JOB, 0, 0)
        raw("update pg_index set indisvalid = false where indexrelid = 'jobs_lease_index'::regclass")
        assert migrate(connection) == [
            "dropped what was left of the index jobs_lease_index",
            "created the index jobs_lease_index",
        ]
        [(valid,)] = raw("select indisvalid from pg_index where indexrelid = 'jobs_lease_index'::regclass")
        assert valid


@pytest.mark.fault("F32")
def test_who_is_in_the_way_is_named(postgres_url: str) -> None:
    """An open transaction holds the table: the migration gives up and says whose it is."""
    connection = Connection("database", "database", url=postgres_url)
    migrate(connection)
    with closing(Raw(postgres_url)) as raw:
        raw("alter table jobs drop column parked_at")
        raw("set application_name = 'forgotten-console'")
        raw("begin")
        raw("select * from jobs")
        with pytest.raises(DriverUnavailable, match="forgotten-console, idle in transaction"):
            migrate(connection)
        raw("rollback")
    assert migrate(connection) == ["added the column jobs.parked_at"]


@pytest.mark.fault("F32")
def test_a_missing_table_is_one_line_with_the_command(connection: Connection, clock: FakeClock, raw: Raw) -> None:
    """From every way into the store."""
    with closing(DatabaseDriver.from_config(connection, clock=clock)) as driver:
        ways: tuple[Callable[[], Any], ...] = (
            driver.check,
            lambda: push(driver),
            lambda: reserve(driver),
            driver.counts,
            driver.failed.page,
            driver.control.marks,
        )
        for way in ways:
            with pytest.raises(TableMissing) as caught:
                way()
            assert "\n" not in str(caught.value)
            assert caught.value.hint == "Run `queuectl migrate`."


def test_the_ddl_of_one_table_can_be_had() -> None:
    """For `queue:table` and its like, without a connection."""
    statements = ddl("sqlite", only="failed_jobs")
    assert statements.count("CREATE TABLE") == 1
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(statements)
        database.execute("select uuid, failed_time from failed_jobs")
    with pytest.raises(ConfigurationError, match="Known: sqlite"):
        ddl("oracle")
    with pytest.raises(ConfigurationError, match="job_batches"):
        ddl("mysql", only="jobz")


def _drain(driver: DatabaseDriver, seen: list[str]) -> None:
    settled: list[Settlement] = []
    while True:
        try:
            _, found = driver.exchange(settled, ["mail"], 1)
        except DriverUnavailable:
            continue
        if not found:
            return driver.close()
        seen += [reserved.id for reserved in found]
        settled = [Settlement(reserved, Done()) for reserved in found]
