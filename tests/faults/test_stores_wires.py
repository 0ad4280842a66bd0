"""The way to a server: nobody there, the wrong door, a line that breaks, falls silent or crawls."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psycopg
import pytest

from queuectl.testing.server import Server, free_port
from queuectl.testing.wires import Delay, Refusal, Reset, Silence, Trickle
from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import job
from tests.faults.rig.lines import SERVERS, Line
from tests.faults.rig.outages import LOST, sit_out, spoiled

SECRET = "s3cr3t-canary"
UNAVAILABLE, HOPELESS = 69, 78


@pytest.mark.fault("F23")
@pytest.mark.parametrize("line", SERVERS, indirect=True)
def test_a_worker_outlives_every_trouble_of_its_wire(
    line: Line, make_arena: MakeArena, request: pytest.FixtureRequest
) -> None:
    """Refused, reset, silent: it waits, says so once, and goes on. Slow is no trouble."""
    arena = make_arena(request.node.callspec.params["line"], retry_after=2, **line.settings)
    worker = arena.project.work("--tries=9")
    until(lambda: arena.project.monitor("default")[0]["workers"], "the worker's sign of life")
    for number, trouble in enumerate((Refusal(), Reset(), Silence())):
        arena.put(*(job(f"k{number}.{one}", seconds=0.02) for one in range(30)))
        until(lambda number=number: len(arena.done()) > 30 * number + 5, "the worker to be busy")
        sit_out(arena, [worker], spoiled(line.wire, trouble), lasts=0.5)
        arena.await_done(arena.acknowledged)
    arena.await_rest()
    told = worker.output().count(LOST)
    for name, slowness in (("late", Delay(0.01)), ("thin", Trickle())):
        with spoiled(line.wire, slowness):
            arena.put(*(job(f"{name}{one}") for one in range(3)))
            arena.await_done(arena.acknowledged)
    arena.await_rest()
    arena.check(may_double=arena.acknowledged, recounted=arena.acknowledged)
    assert worker.output().count(LOST) == told


@pytest.mark.fault("F23")
@pytest.mark.parametrize("store", SERVERS)
def test_nobody_at_an_address(store: str, make_project: MakeProject) -> None:
    """One line that names the place and not the password, at once; the name of a host that does not exist too."""
    project = make_project(store)
    for host in (f"127.0.0.1:{free_port()}", "nowhere.invalid"):
        for words in (("work", "--once"), ("dispatch", "Ledger", '{"key": "k"}')):
            told = elsewhere(project, host, *words, code=UNAVAILABLE)
            assert host in told


@pytest.mark.fault("F20", "F23")
@pytest.mark.parametrize("store", SERVERS)
def test_a_worker_that_comes_before_its_server(
    store: str, make_arena: MakeArena, own_server: Callable[[str], Server]
) -> None:
    """It waits; and while the server starts it is not irritated by being refused."""
    server = own_server(store)
    arena = make_arena(store, **{"redis_url" if "redis" in server.url else "database_url": server.url})
    arena.put(job("k"))
    server.kill()
    worker = arena.project.work()
    until(lambda: LOST in worker.output(), "a word")
    server.start()
    arena.await_done({"k"})
    assert worker.output().count(LOST) == 1


@pytest.mark.fault("F23")
@pytest.mark.parametrize("store", ["mariadb", "valkey", "redis62"])
def test_a_wrong_password_ends_a_worker(store: str, make_project: MakeProject, request: pytest.FixtureRequest) -> None:
    """No pause and no other attempt makes it right; the password is not told."""
    project = make_project(store)
    elsewhere(project, f"127.0.0.1:{request.getfixturevalue(store).port}", "work", code=HOPELESS)


@pytest.mark.fault("F23")
def test_a_wrong_password_ends_a_worker_on_postgres(
    make_project: MakeProject, own_server: Callable[[str], Server]
) -> None:
    """As on the others, once the server asks for one."""
    server = own_server("postgres")
    project, place = make_project("postgres", database_url=server.url), f"127.0.0.1:{server.port}"
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE worker LOGIN PASSWORD 'another'")
    (server.folder / "data/pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    os.kill(server.pid, signal.SIGHUP)
    until(lambda: "password authentication" in elsewhere(project, place, "work", "--once", code=None), "the new rule")
    elsewhere(project, place, "work", code=HOPELESS)


def elsewhere(project: Project, host: str, *words: str, code: int | None) -> str:
    """What a command says whose store is at *host*."""
    scheme = {"postgres": "postgresql", "mysql": "mysql"}
    kind = "redis" if project.connection == "redis" else project.database_url.partition(":")[0]
    database = "0" if kind == "redis" else project.database_url.rpartition("/")[2]
    url = f"{scheme.get(kind, kind)}://worker:{SECRET}@{host}/{database}"
    told = project.cli(*words, code=code, environment={f"QUEUE_{project.connection.upper()}_URL": url}).stderr
    assert SECRET not in told
    assert "Traceback" not in told
    assert len([line for line in told.splitlines() if line.startswith("error")]) == 1
    return told
