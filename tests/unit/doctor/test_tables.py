"""Tables that are not there, and tables that are older than the program."""

from __future__ import annotations

import sqlite3

import pytest

from tests.unit.cli.conftest import Site
from tests.unit.doctor.conftest import Examine

LARAVELS = """
CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, queue VARCHAR NOT NULL, payload TEXT NOT NULL,
attempts INTEGER NOT NULL, reserved_at INTEGER, available_at INTEGER NOT NULL, created_at INTEGER NOT NULL);
"""
STRANGERS = "CREATE TABLE jobs (title TEXT);"


def test_tables_that_are_missing_fail(site: Site, examine: Examine) -> None:
    """The remedy makes them, and then nothing is wrong."""
    found = examine("tables", "server", "durability", "workers", "clock").of("tables", "database")
    assert (found["status"], found["fix"]) == ("failed", "queuectl migrate database")
    assert site.run(*found["fix"].split()[1:]).code == 0
    assert examine("tables").status("tables") == "ok"


@pytest.mark.parametrize(("statements", "words"), [(LARAVELS, ""), (STRANGERS, "Configure another table name.")])
def test_tables_that_somebody_else_made_fail(site: Site, examine: Examine, statements: str, words: str) -> None:
    """The remedy adopts Laravel's, and says what to do about a stranger's."""
    (site.root / "storage").mkdir()
    with sqlite3.connect(site.root / "storage/queue.sqlite") as file:
        file.executescript(statements)
    file.close()
    found = examine("tables", "server").of("tables")
    assert (found["status"], found["fix"]) == ("failed", "queuectl migrate database")
    run = site.run("migrate", "database")
    assert (run.code, words in run.err) == (78 if words else 0, True)


def test_a_column_that_is_missing_is_named(ready: Site, examine: Examine) -> None:
    """As after an update of the program."""
    with sqlite3.connect(ready.root / "storage/queue.sqlite") as file:
        file.executescript("ALTER TABLE jobs DROP COLUMN parked_at")
    file.close()
    found = examine("tables", "workers").of("tables")
    assert "parked_at" in found["detail"]
    assert ready.run("migrate").code == 0
    assert examine("tables").status("tables") == "ok"


def test_every_database_is_looked_at(site: Site, examine: Examine) -> None:
    """Also the one that keeps failed jobs, or notifications, only because the configuration names it."""
    site.write(
        'default = "sync"\n[failed]\nconnection = "graves"\n[notifications]\nconnection = "app"\n'
        '[connections.graves]\ndriver = "database"\nurl = "sqlite:///a.sqlite"\n'
        '[connections.app]\ndriver = "database"\nurl = "sqlite:///b.sqlite"\n'
    )
    assert {one["subject"] for one in examine("tables").checks} == {"graves", "app"}
