"""A turn costs the same with a large backlog: the plans say which index serves it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.database import DatabaseDriver
from queuectl.errors import ConfigurationError, DriverUnavailable
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from queuectl.migrations import migrate
from tests.unit.database.conftest import Raw

BACKLOG = 20_000
INSERT = "insert into jobs (queue, payload, attempts, available_at, created_at) values (?, '{}', 0, ?, 0)"


@pytest.fixture
def backlog(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> Raw:
    """Twenty thousand jobs that are not due yet, and one that is."""
    later = int(clock.now()) + 86_400
    raw("begin")
    raw.many(INSERT, [("mail", later + number) for number in range(BACKLOG)])
    raw("commit")
    uuid = new_uuid()
    driver.push([Entry("mail", encode(job="A", arguments="{}", uuid=uuid), uuid)])
    raw("analyze table jobs" if raw.name == "mysql" else "analyze")
    return raw


CLAIM = {
    "sqlite": (
        "explain query plan select id from jobs where queue = 'mail' and reserved_at is null and available_at <= 5"
        " order by available_at, id limit 1"
    ),
    "postgresql": (
        "explain select id from jobs where queue = 'mail' and reserved_at is null and available_at <= 5"
        " order by available_at, id limit 1 for update skip locked"
    ),
    "mysql": (
        "explain select id from jobs where queue = 'mail' and reserved_at is null and available_at <= 5"
        " order by available_at, id limit 1 for update skip locked"
    ),
}


@pytest.mark.fault("F41")
def test_reserving_is_served_by_an_index_in_order(backlog: Raw) -> None:
    """No sort and no look at the jobs that are not due."""
    plan = " ".join(str(row) for row in backlog(CLAIM[backlog.name])).lower()
    assert "jobs_ready_index" in plan
    assert "sort" not in plan
    assert "temp b-tree" not in plan


@pytest.mark.fault("F41")
def test_the_one_that_is_due_is_found_among_them(backlog: Raw, driver: DatabaseDriver) -> None:
    """And nothing else."""
    _, reserved = driver.exchange([], ["mail"], 10)
    assert len(reserved) == 1


def test_a_row_that_a_php_worker_reserved_is_left_to_it_for_a_while(
    driver: DatabaseDriver, raw: Raw, clock: FakeClock
) -> None:
    """It has no lease of ours; after `foreign_retry_after` its worker is taken for dead."""
    raw(INSERT, "mail", 0)
    raw("update jobs set reserved_at = ?, attempts = 1", int(clock.now()))
    clock.sleep(89)
    assert driver.exchange([], ["mail"], 1)[1] == []
    clock.sleep(2)
    _, [reserved] = driver.exchange([], ["mail"], 1)
    assert reserved.attempts == 2


@pytest.mark.fault("X16")
def test_the_files_of_sqlite_are_private(sqlite_url: str) -> None:
    """The database, its log and its gate: nobody else reads payloads."""
    connection = Connection("database", "database", url=sqlite_url)
    migrate(connection)
    built = DatabaseDriver.from_config(connection)
    uuid = new_uuid()
    built.push([Entry("mail", encode(job="A", arguments="{}", uuid=uuid), uuid)])
    files = list(Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("queue.sqlite*"))
    assert len(files) >= 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    built.close()


@pytest.mark.fault("F30")
def test_a_replaced_file_is_noticed(sqlite_url: str, tmp_path: Path) -> None:
    """What is written into a file that was moved away is lost to everybody else: better to stop."""
    connection = Connection("database", "database", url=sqlite_url)
    migrate(connection)
    built = DatabaseDriver.from_config(connection)
    built.check()
    for file in tmp_path.glob("queue.sqlite*"):
        file.rename(tmp_path / f"moved-{file.name}")
    migrate(connection)
    uuid = new_uuid()
    with pytest.raises((ConfigurationError, DriverUnavailable)):
        built.push([Entry("mail", encode(job="A", arguments="{}", uuid=uuid), uuid)])
    built.close()


@pytest.mark.fault("F23", "X10")
@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("postgresql://u:s3cret@127.0.0.1:1/x", DriverUnavailable),
        ("mysql://u:s3cret@127.0.0.1:1/x", DriverUnavailable),
        ("sqlite:///:memory:", ConfigurationError),
        ("oracle://u:s3cret@host/x", ConfigurationError),
    ],
)
def test_errors_name_the_place_and_never_the_password(url: str, error: type[Exception]) -> None:
    """Refused connections and wrong addresses alike."""
    with pytest.raises(error) as refused:
        DatabaseDriver.from_config(Connection("database", "database", url=url)).check()
    assert "s3cret" not in str(refused.value)


@pytest.mark.fault("F23")
def test_a_database_that_is_not_there_is_a_wrong_configuration(url: str) -> None:
    """Waiting would not make it appear."""
    if url.startswith("sqlite"):
        url = "sqlite:////no/such/folder/queue.sqlite"
    else:
        url = url.rpartition("/")[0] + "/no_such_database"
    with pytest.raises(ConfigurationError):
        DatabaseDriver.from_config(Connection("database", "database", url=url)).check()
