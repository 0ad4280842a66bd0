"""Producers whose queue is away: every job is accepted, none is lost, none runs twice."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from queuectl.testing.server import Server
from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, missing, until

PRODUCER = """
import json, sys, time
from ledger_jobs import Ledger

for line in sys.stdin:
    started = time.monotonic()
    Ledger.dispatch(key=line.strip())
    print(json.dumps(time.monotonic() - started), flush=True)
"""


class Producer:
    """A process of the application that goes on dispatching, as a web server would."""

    def __init__(self, project: Project) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PRODUCER],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def dispatch(self, key: str) -> float:
        """Returns once it is accepted; the seconds that took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{key}\n")
        self._process.stdin.flush()
        return float(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


@contextmanager
def producer(project: Project) -> Iterator[Producer]:
    started = Producer(project)
    try:
        yield started
    finally:
        started.close()


@contextmanager
def locked(project: Project) -> Iterator[None]:
    """Another program holds the queue's file."""
    holder = sqlite3.connect(project.folder / "storage/queue.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def waiting(project: Project) -> int:
    """How many jobs lie in the outbox, as an operator sees it."""
    rows = json.loads(project.cli("monitor", "--json", code=None).stdout or "[]")
    return sum(row["size"] for row in rows if row["connection"] == "app")


def everything_ran_once(project: Project, count: int) -> None:
    until(lambda: not missing(project.done(), "k", count), "every job")
    assert set(project.done().values()) == {1}
    assert waiting(project) == 0
    assert project.failed() == []


@pytest.mark.fault("F18", "F40")
def test_a_locked_queue_file_refuses_no_job(make_project: MakeProject) -> None:
    """They wait in the application's own database; a worker that was there all the time carries them over."""
    project = make_project("sqlite", outbox="app")
    worker = project.work()
    with producer(project) as web:
        web.dispatch("k0")
        with locked(project):
            for number in range(1, 30):
                web.dispatch(f"k{number}")
        until(lambda: not missing(project.done(), "k", 30), "what had been kept")
        web.dispatch("k30")
    everything_ran_once(project, 31)
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


@pytest.mark.fault("F18", "F19", "F40")
@pytest.mark.parametrize("trouble", ["killed", "frozen"])
@pytest.mark.parametrize("store", ["valkey", "postgres", "mariadb"])
def test_a_server_that_is_away_refuses_no_job(
    store: str, trouble: str, make_project: MakeProject, own_server: Callable[[str], Server]
) -> None:
    """Neither one that is gone nor one that does not answer any more, which may have taken what it never confirmed."""
    server = own_server(store)
    project = make_project(
        store, outbox="app", **{"redis_url" if "redis" in server.url else "database_url": server.url}
    )
    with producer(project) as web:
        web.dispatch("k0")
        server.kill() if trouble == "killed" else server.freeze()
        for number in range(1, 20):
            web.dispatch(f"k{number}")
        server.start() if trouble == "killed" else server.thaw()
        project.work()
        until(lambda: not missing(project.done(), "k", 20), "what had been kept")
        web.dispatch("k20")
    everything_ran_once(project, 21)


def test_an_operator_can_carry_jobs_over(make_project: MakeProject) -> None:
    """`relay` says how many; a second one finds nothing."""
    project = make_project("sqlite", outbox="app")
    with producer(project) as web, locked(project):
        for number in range(3):
            web.dispatch(f"k{number}")
    assert waiting(project) == 3
    assert json.loads(project.cli("relay", "--json").stdout) == [{"connection": "database", "carried": 3}]
    assert json.loads(project.cli("relay", "--json").stdout) == [{"connection": "database", "carried": 0}]
    project.drain()
    everything_ran_once(project, 3)


def test_an_outbox_can_be_worked_where_it_is(make_project: MakeProject) -> None:
    """Its queues are queues: during a long outage a worker may run the jobs there."""
    project = make_project("sqlite", outbox="app")
    with producer(project) as web, locked(project):
        web.dispatch("k0")
    project.cli("work", "app", "--queue=outbox:database:default", "--stop-when-empty")
    everything_ran_once(project, 1)
