"""What an idle worker asks MySQL and MariaDB, straight through the socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pymysql
import pytest

from queuectl.config import Connection
from queuectl.drivers.database import DatabaseDriver
from queuectl.drivers.database.mysql_wire import Question
from queuectl.errors import DriverUnavailable, TableMissing
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from queuectl.migrations import migrate
from tests.unit.database.conftest import Raw

MARK = b"\x05\0\0\x03\xfe\0\0\x02\0"
COLUMN = b"\x03def" + bytes(23)
ANSWER = b"".join(
    [
        b"\x01\0\0\x01\x01",
        len(COLUMN).to_bytes(3, "little") + b"\x02" + COLUMN,
        MARK,
        b"\x06\0\0\x04\x05-12.5",
        MARK,
    ]
)


@pytest.fixture
def driver(mariadb_url: str) -> Iterator[DatabaseDriver]:
    """With the server's own clock."""
    connection = Connection("database", "database", url=mariadb_url)
    migrate(connection)
    built = DatabaseDriver.from_config(connection)
    yield built
    built.close()


def push(driver: DatabaseDriver, delay: float = 0.0) -> None:
    uuid = new_uuid()
    driver.push([Entry("mail", encode(job="A", arguments="{}", uuid=uuid), uuid, delay)])


def test_it_tells_when_something_falls_due(driver: DatabaseDriver) -> None:
    """Again and again on one connection."""
    watch = driver.watch(["mail", "other"])
    assert watch.next_check_in() > 0
    assert not watch.drain()
    push(driver, delay=600)
    assert watch.next_check_in() > 0
    assert not watch.drain()
    push(driver)
    assert watch.next_check_in() == 0
    assert watch.drain()
    watch.close()


def test_an_error_of_the_server_is_told_as_any_other(driver: DatabaseDriver, mariadb_url: str) -> None:
    """And the next question has a connection of its own."""
    watch, raw = driver.watch(["mail"]), Raw(mariadb_url)
    assert watch.next_check_in() > 0
    raw("rename table jobs to hidden")
    with pytest.raises(TableMissing):
        watch.next_check_in()
    raw("rename table hidden to jobs")
    assert watch.next_check_in() > 0
    watch.close()
    raw.close()


def test_a_connection_that_was_killed_is_a_store_that_is_away(driver: DatabaseDriver, mariadb_url: str) -> None:
    """For once: the next question opens another one."""
    watch, raw = driver.watch(["mail"]), Raw(mariadb_url)
    assert watch.next_check_in() > 0
    [(own,)] = raw("select connection_id()")
    for (other,) in raw("select id from information_schema.processlist where db = database() and id <> ?", own):
        raw(f"kill {other}")
    with pytest.raises(DriverUnavailable):
        watch.next_check_in()
    assert watch.next_check_in() > 0
    watch.close()
    raw.close()


@pytest.mark.parametrize("first", range(1, len(ANSWER)))
def test_an_answer_may_come_in_parts(first: int) -> None:
    """Networks cut where they like; what has not come is waited for, and nothing is left behind."""
    ours, server = socket.socketpair()
    with ours, server:
        question = Question(cast("pymysql.Connection[Any]", SimpleNamespace(_sock=Parts(ours, first))), "SELECT 1")
        server.sendall(ANSWER)
        assert question() == -12.5
        assert server.recv(100) == b"\x09\0\0\0\x03SELECT 1"
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            ours.recv(1)


class Parts:
    """A socket that gives so many bytes first, then the others."""

    def __init__(self, own: socket.socket, first: int) -> None:
        self._own, self._next = own, first
        self.sendall = own.sendall

    def recv(self, most: int) -> bytes:
        size, self._next = self._next, most
        return self._own.recv(size)
