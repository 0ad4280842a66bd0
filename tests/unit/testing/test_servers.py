"""The throw-away servers do what fault tests ask of them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from queuectl.testing.databases import drop_database, fresh_database
from queuectl.testing.plugin import start
from queuectl.testing.programs import ProgramMissing
from queuectl.testing.server import descendants
from queuectl.testing.servers import MariaDB, Postgres, Redis62, Server, Valkey

PATIENCE = 20.0


@pytest.fixture(params=[Valkey, Redis62, Postgres, MariaDB])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of this test's own, that keeps what it acknowledged."""
    running = start(request.param, request.config, durable=True)
    yield running
    running.close()


def test_a_server_is_killed_and_started_again(server: Server) -> None:
    """It answers on the same address as before; a restart is the gentle form."""
    for end in (server.kill, server.stop):
        url = server.url
        assert _accepts(server)
        end()
        assert not _accepts(server)
        server.start()
        assert (server.url, _accepts(server)) == (url, True)


def test_a_closed_server_leaves_nothing(server: Server) -> None:
    """No process, no folder; closing twice is no error."""
    processes = [server.pid, *descendants(server.pid)]
    server.close()
    server.close()
    assert not server.folder.exists()
    assert _await(lambda: not any(_lives(pid) for pid in processes))


def test_a_frozen_server_does_not_answer(valkey: Valkey) -> None:
    """Connections stay open; after the thaw the answer comes."""
    client = socket.create_connection(("127.0.0.1", valkey.port), timeout=0.2)
    valkey.freeze()
    client.sendall(b"PING\r\n")
    with pytest.raises(TimeoutError):
        client.recv(16)
    valkey.thaw()
    client.settimeout(PATIENCE)
    assert client.recv(16).startswith(b"+PONG")
    client.close()


def test_a_durable_server_keeps_its_data_through_a_crash(request: pytest.FixtureRequest) -> None:
    """What Redis acknowledged before SIGKILL is there after it."""
    server = start(Redis62, request.config, durable=True)
    with redis.Redis.from_url(server.url) as client:
        client.set("kept", "1")
        server.kill()
        server.start()
        assert client.get("kept") == b"1"
    server.close()


def test_a_dropped_database_is_gone_whoever_uses_it(postgres: Postgres) -> None:
    """A test's database does not outlive it because a connection does."""
    url = fresh_database(postgres)
    user = psycopg.connect(url)
    drop_database(url)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    user.close()


def test_a_server_dies_with_the_tests_that_started_it(valkey: Valkey) -> None:
    """Even when those are killed: its watcher takes process and folder away."""
    script = (
        "import queuectl.testing.servers as s; v = s.Valkey(); v.start(); print(v.pid, v.folder, flush=True); input()"
    )
    tests = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert tests.stdout is not None
    assert tests.stdin is not None
    pid, folder = tests.stdout.readline().split()
    tests.send_signal(signal.SIGKILL)
    tests.wait()
    tests.stdin.close()
    tests.stdout.close()
    assert _await(lambda: not _lives(int(pid)) and not Path(folder).exists())


def test_a_named_program_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong environment variable is an error that names it, not a search elsewhere."""
    monkeypatch.setenv("QUEUECTL_TEST_VALKEY", "/nonexistent/valkey-server")
    with pytest.raises(ProgramMissing, match="QUEUECTL_TEST_VALKEY names /nonexistent"):
        Valkey()


def _accepts(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
    except OSError:
        return False
    return True


def _lives(pid: int) -> bool:
    """A zombie does not: containers have no init that buries it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _await(truth: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if truth():
            return True
        time.sleep(0.02)
    return False
