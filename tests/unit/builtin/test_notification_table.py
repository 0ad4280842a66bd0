"""The table of notifications gives each job one row, on every database alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.errors import ConfigurationError, DriverUnavailable, TableMissing
from queuectl.migrations import migrate
from queuectl.notifications import build_notifications
from queuectl.notifications.table import NotificationTable

HELLO: dict[str, Any] = {"user_id": 1, "title": "Congé accepté 🎉", "message": "It's “fine” \\ 100 % :now\n" * 50}


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Connection:
    """A migrated database of each kind."""
    named = request.param
    url = f"sqlite:///{tmp_path}/queue.sqlite" if named == "sqlite" else request.getfixturevalue(f"{named}_url")
    connection = Connection("database", "database", url=url)
    migrate(connection)
    return connection


@pytest.fixture
def table(connection: Connection, clock: FakeClock) -> Iterator[NotificationTable]:
    table = NotificationTable(connection, clock=clock)
    yield table
    table.close()


def test_a_row_holds_what_was_said(table: NotificationTable) -> None:
    """Every character, the defaults, and nested data with its types."""
    data = {"url": "/leaves/7", "nested": [1, 2.5, None, True, {"é": []}], "big": 2**70, "nul": "\0"}
    row = table.create({**HELLO, "data": data}, job_uuid="job-1")
    assert row == {
        "id": row["id"],
        "job_uuid": "job-1",
        **HELLO,
        "type": "info",
        "priorite": "normale",
        "data": data,
        "read_at": None,
        "broadcast_at": None,
        "created_at": "2027-01-15T08:00:00.000Z",
    }
    assert isinstance(row["id"], int)


def test_a_job_has_one_row(table: NotificationTable, clock: FakeClock) -> None:
    """A second attempt, however late, finds the first one's row unchanged."""
    first = table.create(HELLO, job_uuid="job-1")
    clock.sleep(60)
    assert table.create({**HELLO, "title": "Another"}, job_uuid="job-1") == first
    assert len(table.list(1)) == 1


def test_attempts_at_the_same_moment_have_one_row(connection: Connection) -> None:
    """As after a lease that was lost: both get the same row, and neither an error."""
    tables = [NotificationTable(connection) for _ in range(4)]
    rows: list[dict[str, Any]] = []
    start = threading.Barrier(len(tables))

    def create(table: NotificationTable) -> None:
        start.wait()
        rows.extend(table.create(HELLO, job_uuid=f"job-{number}") for number in range(20))

    threads = [threading.Thread(target=create, args=(table,)) for table in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows) == 80
    assert len({row["id"] for row in rows}) == 20
    for table in tables:
        table.close()


def test_what_went_out_is_noted(table: NotificationTable, clock: FakeClock) -> None:
    """With the time, in the row that later attempts find."""
    table.create(HELLO, job_uuid="job-1")
    clock.sleep(1.25)
    table.mark_broadcast("job-1")
    assert table.create(HELLO, job_uuid="job-1")["broadcast_at"] == "2027-01-15T08:00:01.250Z"


def test_a_user_reads_their_own_in_order(table: NotificationTable) -> None:
    """Page by page behind the last one seen, and never another's."""
    for number in range(5):
        table.create({**HELLO, "user_id": 1, "title": str(number)}, job_uuid=f"a{number}")
        table.create({**HELLO, "user_id": 2}, job_uuid=f"b{number}")
    page = table.list(1, limit=2)
    assert [row["title"] for row in page] == ["0", "1"]
    assert [row["title"] for row in table.list(1, after_id=page[-1]["id"])] == ["2", "3", "4"]
    assert table.list(3) == []


def test_only_the_user_marks_it_read_and_the_first_time_counts(table: NotificationTable, clock: FakeClock) -> None:
    """Somebody else's id changes nothing and is not told from one that does not exist."""
    row = table.create(HELLO, job_uuid="job-1")
    assert not table.mark_read(row["id"], user_id=2)
    assert table.mark_read(row["id"], user_id=1)
    first = table.list(1)[0]["read_at"]
    clock.sleep(10)
    assert table.mark_read(row["id"], user_id=1)
    assert table.list(1)[0]["read_at"] == first == "2027-01-15T08:00:00.000Z"


def test_another_table_can_be_configured(connection: Connection) -> None:
    """As `[notifications] table`."""
    migrate(connection, notifications_table="app_notifications")
    build_notifications(connection, "app_notifications").create(HELLO, job_uuid="job-1")
    assert build_notifications(connection, "notifications").list(1) == []


def test_a_missing_table_is_one_line_with_the_command_to_run(connection: Connection) -> None:
    """For writing and reading."""
    table = build_notifications(connection, "not_there")
    for act in (lambda: table.create(HELLO, job_uuid="job-1"), lambda: table.list(1)):
        with pytest.raises(TableMissing) as missing:
            act()
        assert missing.value.hint == "Run `queuectl migrate`."
        assert "\n" not in str(missing.value)
    table.close()


def test_a_missing_file_is_a_missing_table(tmp_path: Path) -> None:
    """Nothing creates it on the way."""
    table = build_notifications(Connection("database", "database", url=f"sqlite:///{tmp_path}/none.sqlite"))
    with pytest.raises(TableMissing):
        table.create(HELLO, job_uuid="job-1")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_worth_another_try() -> None:
    """And its password is nobody's business."""
    url = "postgresql://app:hunter2@127.0.0.1:1/app"
    with pytest.raises(DriverUnavailable) as error:
        build_notifications(Connection("database", "database", url=url)).list(1)
    assert "hunter2" not in str(error.value)


@pytest.mark.fault("X14")
@pytest.mark.parametrize("name", ["a;b", 'x"', "", "a b", "notifications--"])
def test_a_table_name_is_a_name(tmp_path: Path, name: str) -> None:
    """It becomes part of SQL."""
    with pytest.raises(ConfigurationError, match="not a table name"):
        build_notifications(Connection("database", "database", url=f"sqlite:///{tmp_path}/q.sqlite"), name)


def test_rows_need_a_database() -> None:
    """A queue on Redis is fine; the rows go elsewhere, and the error says which key decides."""
    with pytest.raises(ConfigurationError, match="'redis' is 'redis'") as error:
        build_notifications(Connection("redis", "redis", url="redis://127.0.0.1"))
    assert "`connection` in [notifications]" in str(error.value.hint)
