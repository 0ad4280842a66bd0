"""Connections that are lost, inherited, crowded or killed; errors as ours; one file for many processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.contract import Settlement, Verdict
from queuectl.drivers.database import DatabaseDriver
from queuectl.drivers.database.gate import Gate
from queuectl.errors import AccessDenied, ConfigurationError, DataRefused, DriverUnavailable, StoreFull
from queuectl.jobs.outcome import Done, Failed, Problem
from queuectl.migrations import migrate
from queuectl.testing.contract.base import entry, failure, push, reserve
from tests.unit.database.conftest import Raw

on_servers = pytest.mark.parametrize("url", ["postgresql", "mysql"], indirect=True)
"""SQLite has no connections that could be lost."""


@pytest.mark.fault("F21")
@on_servers
def test_a_lost_connection_is_said_once(driver: DatabaseDriver, raw: Raw) -> None:
    """The call in hand fails as worth retrying, the next one has a connection again, and no job is lost."""
    push(driver)
    [reserved] = reserve(driver)
    _kill_others(raw)
    done = Settlement(reserved, Done())
    with pytest.raises(DriverUnavailable):
        driver.exchange([done], ["mail"], 1)
    assert driver.exchange([done], ["mail"], 1) == ([Verdict.APPLIED], [])


@pytest.mark.fault("F32")
@on_servers
def test_an_idle_worker_holds_no_transaction(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """After a turn, a failure and a look, nothing is open that could block a migration."""
    push(driver, entry(), entry())
    first, second = reserve(driver, room=2)
    driver.exchange([Settlement(first, failure(first, clock)), Settlement(second, Done())], ["mail"], 1)
    with closing(driver.watch(["mail"])) as watch:
        watch.next_check_in()
        assert _open_transactions(raw) == []


@pytest.mark.fault("F21")
@on_servers
def test_a_watch_survives_a_lost_connection(driver: DatabaseDriver, raw: Raw) -> None:
    """Nothing but `DriverUnavailable`, and then it watches again."""
    with closing(driver.watch(["mail"])) as watch:
        watch.next_check_in()
        _kill_others(raw)
        with pytest.raises(DriverUnavailable):
            watch.next_check_in()
        assert 0 <= watch.next_check_in() <= 1


@pytest.mark.fault("F30")
def test_a_forked_process_has_a_connection_of_its_own(driver: DatabaseDriver) -> None:
    """What the child does and how it ends leaves the parent's connection alone."""
    push(driver)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if len(reserve(driver)) == 1 else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert reserve(driver) == []
    assert driver.counts(["mail"])["mail"].reserved == 1


def test_threads_have_connections_of_their_own(driver: DatabaseDriver) -> None:
    """All are closed by `close`, or with their thread."""
    threads = [threading.Thread(target=push, args=(driver, entry(), entry())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert driver.counts(["mail"])["mail"].pending == 8


@pytest.mark.fault("F37")
def test_text_that_the_store_refuses_changes_nothing(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """A settlement with a NUL or a lone surrogate in its words is refused whole; the job is still its worker's."""
    push(driver)
    [reserved] = reserve(driver)
    failed = failure(reserved, clock)
    for text in ("\ud800", *(["\0"] if raw.name == "postgresql" else [])):
        broken = replace(failed, record=replace(failed.record, problem=Problem("E", "m", text)))
        with pytest.raises(DataRefused):
            driver.exchange([Settlement(reserved, broken)], ["mail"], 1)
    assert driver.failed.count() == 0
    assert driver.exchange([Settlement(reserved, failed)], ["mail"], 1)[0] == [Verdict.APPLIED]


@pytest.mark.fault("F34")
def test_any_payload_comes_back_from_the_failed_store(driver: DatabaseDriver, clock: FakeClock) -> None:
    """Bytes that are no text, and text that no column takes, are kept as they were."""
    for payload in (b"\xff\xfe", b"a\0b", "caf\u00e9 \U0001f600".encode(), b"base64:YQ==", b""):
        push(driver, entry(payload=payload))
        [reserved] = reserve(driver)
        assert reserved.payload == payload
        record = failure(reserved, clock).record
        driver.exchange([Settlement(reserved, Failed(record))], [], 0)
        kept = driver.failed.get(record.uuid)
        assert kept is not None
        assert kept.payload == payload


@pytest.mark.fault("F23")
def test_refused_credentials_are_not_worth_retrying(mariadb_url: str) -> None:
    """And the password is in no message."""
    url = mariadb_url.replace("root@", "nobody:s3cret@")
    with pytest.raises(AccessDenied) as refused:
        DatabaseDriver.from_config(Connection("database", "database", url=url)).check()
    assert "s3cret" not in str(refused.value)


@pytest.mark.fault("F25")
def test_a_full_store_says_so(sqlite_url: str) -> None:
    """And what was to be written is not half there; nothing has to be restarted once there is room."""
    connection = Connection("database", "database", url=sqlite_url)
    migrate(connection)
    with closing(DatabaseDriver.from_config(connection)) as driver:
        session = driver._sessions._session()
        [(pages,)] = session.execute("PRAGMA page_count", {}).rows
        session.execute(f"PRAGMA max_page_count = {pages + 1}", {})
        with pytest.raises(StoreFull):
            driver.push([entry(arguments=f'"{"x" * 9_000}"') for _ in range(50)])
        session.execute("PRAGMA max_page_count = 1000000", {})
        assert driver.counts() == {}
        assert len(push(driver)) == 1


@pytest.mark.fault("F28")
def test_a_writer_that_does_not_let_go_is_waited_for_but_not_for_ever(sqlite_url: str) -> None:
    """Another program holds the file's lock: worth retrying, and it works once the lock is gone."""
    connection = Connection("database", "database", url=sqlite_url, timeout=0.3)
    migrate(connection)
    with closing(DatabaseDriver.from_config(connection)) as driver, closing(Raw(sqlite_url)) as raw:
        raw("begin immediate")
        with pytest.raises(DriverUnavailable, match="is busy"):
            push(driver)
        raw("rollback")
        push(driver)


@pytest.mark.fault("F29")
def test_a_frozen_holder_of_the_gate_hangs_nobody(sqlite_url: str) -> None:
    """The gate is a courtesy; the lock that counts is SQLite's own."""
    connection = Connection("database", "database", url=sqlite_url, timeout=0.3)
    migrate(connection)
    gate = Gate(f"{sqlite_url.removeprefix('sqlite:///')}.lock")
    gate.take(0)
    with closing(DatabaseDriver.from_config(connection)) as driver:
        for _ in range(3):
            push(driver)
        assert driver.counts(["mail"])["mail"].pending == 3
    gate.close()


@pytest.mark.fault("F30")
def test_what_is_not_a_database_is_a_wrong_configuration(sqlite_url: str) -> None:
    """And it stays as it was."""
    path = sqlite_url.removeprefix("sqlite:///")
    with open(path, "w") as file:  # noqa: PTH123  # as another program would
        file.write("minutes of the meeting\n" * 100)
    with pytest.raises(ConfigurationError):
        DatabaseDriver.from_config(Connection("database", "database", url=sqlite_url)).check()
    with open(path) as file:  # noqa: PTH123  # as above
        assert file.read().startswith("minutes")


WRITER = """
import sys
from queuectl.config import Connection
from queuectl.drivers.database import DatabaseDriver
from queuectl.testing.contract.base import entry
driver = DatabaseDriver.from_config(Connection("database", "database", url=sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
while not driver.control.holder("stop"):
    driver.push([entry(sys.argv[2])])
    if driver.counts([sys.argv[2]])[sys.argv[2]].pending >= 150:
        driver.control.acquire("stop", sys.argv[2], 60)
"""


@pytest.mark.fault("F29")
def test_writers_take_turns(sqlite_url: str) -> None:
    """When the first of four processes has written its share, none of the others has been left standing."""
    connection = Connection("database", "database", url=sqlite_url)
    migrate(connection)
    writers = [_writer(sqlite_url, f"queue{number}") for number in range(4)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n") if writer is writers[-1] else _start(writer)
    assert [writer.wait() for writer in writers] == [0] * 4
    with closing(DatabaseDriver.from_config(connection)) as driver:
        counts = [count.pending for count in driver.counts().values()]
    for writer in writers:
        for stream in (writer.stdin, writer.stdout):
            if stream is not None:
                stream.close()
    assert len(counts) == 4
    assert min(counts) > 15
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]


def _writer(url: str, queue: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, url, queue]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _start(writer: subprocess.Popen[str]) -> None:
    assert writer.stdin is not None
    writer.stdin.write("go\n")
    writer.stdin.flush()


def _kill_others(raw: Raw) -> None:
    if raw.name == "postgresql":
        raw(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        return
    for (number,) in raw("select id from information_schema.processlist where db = database()"):
        if number != raw("select connection_id()")[0][0]:
            raw(f"kill {number}")


def _open_transactions(raw: Raw) -> list[tuple[object, ...]]:
    if raw.name == "postgresql":
        return raw("select pid, query from pg_stat_activity where state = 'idle in transaction'")
    return raw("select * from information_schema.innodb_trx")
