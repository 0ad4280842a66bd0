"""One test, three databases; and a way to look behind the driver's back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.database import DatabaseDriver
from queuectl.migrations import migrate

URL_FIXTURES = {"sqlite": "sqlite_url", "postgresql": "postgres_url", "mysql": "mariadb_url"}


class Raw:
    """Another program's connection to the same database. Statements use `?` for values."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = url.partition(":")[0]
        self._connection = _connect(url)

    def __call__(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        if self.name != "sqlite":
            sql = sql.replace("?", "%s")
        cursor = self._connection.cursor()
        cursor.execute(sql, values or ())
        rows = list(cursor.fetchall()) if cursor.description else []
        cursor.close()
        return rows

    def many(self, sql: str, rows: list[tuple[object, ...]]) -> None:
        cursor = self._connection.cursor()
        cursor.executemany(sql if self.name == "sqlite" else sql.replace("?", "%s"), rows)
        cursor.close()

    def close(self) -> None:
        self._connection.close()


def _connect(url: str) -> Any:
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    if url.startswith("postgres"):
        return psycopg.connect(url, autocommit=True)
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username, database=parts.path[1:], autocommit=True
    )


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/queue.sqlite"


@pytest.fixture(params=list(URL_FIXTURES))
def url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    found: str = request.getfixturevalue(URL_FIXTURES[request.param])
    return found


@pytest.fixture
def connection(url: str) -> Connection:
    return Connection("database", "database", url=url)


@pytest.fixture
def raw(url: str) -> Iterator[Raw]:
    opened = Raw(url)
    yield opened
    opened.close()


@pytest.fixture
def driver(connection: Connection, clock: FakeClock) -> Iterator[DatabaseDriver]:
    """A migrated store under a clock that tests move."""
    migrate(connection)
    built = DatabaseDriver.from_config(connection, clock=clock)
    yield built
    built.close()


@pytest.fixture
def impatient(connection: Connection) -> Connection:
    """Gives up soon."""
    return replace(connection, timeout=0.5)
