"""Tables that are missing, vanish, or cannot be changed because somebody holds them."""

from __future__ import annotations

from contextlib import closing

import pytest

from queuectl.config import Connection
from queuectl.errors import DriverUnavailable
from queuectl.migrations import migrate
from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.unit.database.conftest import Raw

DATABASES = ("sqlite", "postgres", "mariadb")
HOPELESS = 78


@pytest.mark.fault("F32")
@pytest.mark.parametrize("store", DATABASES)
def test_a_table_that_is_dropped_under_a_worker(store: str, make_arena: MakeArena) -> None:
    """It ends, and says with what command to make the table; so does a new one. Then all is well."""
    arena = make_arena(store)
    worker = arena.project.work()
    arena.put(job("before"))
    arena.await_done({"before"})
    with closing(raw(arena)) as admin:
        admin("DROP TABLE jobs")
    assert worker.ends() == HOPELESS
    for told in (worker.output(), arena.project.cli("work", code=HOPELESS).stderr):
        assert "queuectl migrate" in told
        assert told.count("error") == 1
    arena.project.cli("migrate")
    arena.put(job("after"))
    arena.project.drain()
    assert arena.check().done == 2


@pytest.mark.long
@pytest.mark.fault("F32")
@pytest.mark.parametrize("store", DATABASES)
def test_a_migration_under_a_busy_worker(store: str, make_arena: MakeArena) -> None:
    """Neither hears of the other: an index that was missing is there, and every job is done once."""
    arena = make_arena(store)
    arena.put(*(job(f"k{number}", seconds=0.01) for number in range(100)))
    worker = arena.project.work("--workers=2")
    until(lambda: len(arena.done()) > 10, "the worker to be busy")
    with closing(raw(arena)) as admin:
        admin("DROP INDEX jobs_lease_index" + (" ON jobs" if store == "mariadb" else ""))
    assert "jobs_lease_index" in arena.project.cli("migrate").stdout
    arena.await_done(arena.acknowledged)
    arena.await_rest()
    arena.check()
    assert "trying again" not in worker.output()


@pytest.mark.fault("F32")
def test_a_table_that_somebody_holds(mariadb_url: str) -> None:
    """MariaDB: an open transaction is not waited for without end, and nothing has been changed."""
    connection = Connection("database", "database", url=mariadb_url, timeout=2)
    migrate(connection)
    with closing(Raw(mariadb_url)) as holder:
        holder("ALTER TABLE jobs DROP COLUMN parked_at")
        holder("BEGIN")
        holder("SELECT * FROM jobs")
        with pytest.raises(DriverUnavailable):
            migrate(connection)
        holder("ROLLBACK")
    assert migrate(connection) == ["added the column jobs.parked_at"]


def raw(arena: Arena) -> Raw:
    """An administrator's connection to the arena's database."""
    project = arena.project
    file = f"sqlite:///{project.folder}/storage/queue.sqlite"
    return Raw(file if project.database_url.startswith("sqlite") else project.database_url)
