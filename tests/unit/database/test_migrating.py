"""Tables are made, adopted and brought up to date, while others work on them and whoever asks first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from queuectl.config import Connection
from queuectl.drivers.database import DatabaseDriver
from queuectl.errors import ConfigurationError, TableMissing
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from queuectl.migrations import ddl, migrate, pending
from tests.unit.database import laravel
from tests.unit.database.conftest import Raw


@pytest.fixture
def adopted(raw: Raw, connection: Connection) -> Raw:
    """A database in which Laravel has made its tables and pushed and failed a job."""
    for statement in (*laravel.JOBS[raw.name], *laravel.FAILED_JOBS[raw.name]):
        raw(statement)
    raw(laravel.PUSH, "default", laravel.STRING_JOB, 0, 0)
    raw(laravel.FAIL, "b1a6", "database", "default", laravel.PHP_JOB, laravel.EXCEPTION, "2026-01-02 03:04:05")
    return raw


def test_a_second_time_does_nothing(connection: Connection) -> None:
    """And says so."""
    assert pending(connection)
    assert migrate(connection)
    assert not pending(connection)
    assert migrate(connection) == []


@pytest.mark.fault("F32")
def test_several_at_once_make_the_tables_once(connection: Connection) -> None:
    """Each step is done by one of them, and none of them fails."""
    with ThreadPoolExecutor(4) as pool:
        done = [step for steps in pool.map(migrate, [connection] * 4) for step in steps]
    assert len(done) == len(set(done))
    assert not pending(connection)


def test_what_laravel_made_is_adopted_row_for_row(adopted: Raw, connection: Connection) -> None:
    """Its columns keep their values, ours are empty, and both sides go on."""
    before = adopted("select id, queue, payload, attempts, reserved_at, available_at, created_at from jobs")
    failed = adopted("select id, uuid, connection, queue, payload, exception, failed_at from failed_jobs")
    assert any("added the column" in step for step in migrate(connection))
    assert adopted("select id, queue, payload, attempts, reserved_at, available_at, created_at from jobs") == before
    assert adopted("select id, uuid, connection, queue, payload, exception, failed_at from failed_jobs") == failed
    assert migrate(connection) == []
    adopted(laravel.PUSH, "default", laravel.STRING_JOB, 0, 0)
    built = DatabaseDriver.from_config(connection)
    _, reserved = built.exchange([], ["default"], 5)
    assert [job.payload.decode() for job in reserved] == [laravel.STRING_JOB] * 2
    built.close()


@pytest.mark.fault("F32")
def test_an_adopted_table_without_our_columns_is_one_clear_error(adopted: Raw, connection: Connection) -> None:
    """A worker must not run without its tokens."""
    built = DatabaseDriver.from_config(connection)
    with pytest.raises(TableMissing):
        built.exchange([], ["default"], 1)
    built.close()


def test_a_strangers_table_is_left_alone(raw: Raw, connection: Connection) -> None:
    """A table of that name which is no queue is named, and nothing is added to it."""
    raw("create table jobs (id integer, title varchar(20))")
    with pytest.raises(ConfigurationError, match="not one of ours"):
        migrate(connection)
    assert raw("select * from jobs") == []


@pytest.mark.fault("F32")
def test_migrating_does_not_disturb_who_works(driver: DatabaseDriver, connection: Connection, raw: Raw) -> None:
    """A worker with a reservation in hand goes on before, during and after."""
    uuid = new_uuid()
    driver.push([Entry("default", encode(job="A", arguments="{}", uuid=uuid), uuid)])
    _, [reserved] = driver.exchange([], ["default"], 1)
    raw("drop index jobs_lease_index" + (" on jobs" if raw.name == "mysql" else ""))
    assert migrate(connection) == ["created the index jobs_lease_index"]
    assert driver.renew([reserved]) == []


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mysql"])
def test_the_statements_are_printed_for_any_database(database: str) -> None:
    """For those whose tables are made by somebody else; one table by its name."""
    whole = ddl(database)
    for table in ("jobs", "failed_jobs", "job_batches", "queuectl_control", "notifications"):
        assert f"{table}" in whole
    assert "failed_jobs" not in ddl(database, only="jobs")


def test_the_printed_statements_make_what_migrate_wants(raw: Raw, connection: Connection) -> None:
    """Executed by hand, they leave nothing for `migrate` to add."""
    for statement in ddl(connection).split(";\n"):
        if statement.strip():
            raw(statement.strip().removesuffix(";"))
    assert migrate(connection) == []
