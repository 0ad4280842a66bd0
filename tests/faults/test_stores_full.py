"""A disk that is full: no push is half there, no new job starts while outcomes cannot be kept, and none runs twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from queuectl.testing.plugin import require
from queuectl.testing.server import Server
from tests.acceptance.conftest import KINDS
from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.disks import filled, small_disk
from tests.faults.rig.outages import BACK, LOST, sit_out

JOBS = 100
Crowded = Callable[[str, int], Server]


@pytest.fixture
def crowded_server(pytestconfig: pytest.Config) -> Iterator[Crowded]:
    """Start a durable server whose folder is a disk of so many megabytes."""
    with ExitStack() as opened:

        def start(store: str, megabytes: int) -> Server:
            require(KINDS[store].program, pytestconfig)
            server = KINDS[store](durable=True)
            opened.callback(server.folder.rmdir)
            opened.enter_context(small_disk(server.folder, megabytes))
            opened.callback(server.close)
            server.start()
            return server

        yield start


@pytest.mark.fault("F25")
def test_a_file_on_a_full_disk(make_arena: MakeArena, tmp_path: Path) -> None:
    """The finished jobs' outcomes are kept and written once there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, 8):
        arena = make_arena("sqlite", database_url=f"sqlite:///{disk}/queue.sqlite")
        endure(arena, disk)
        arena.project.close()


@pytest.mark.fault("F25")
@pytest.mark.parametrize("store", ["valkey", "redis62"])
def test_a_log_of_redis_on_a_full_disk(store: str, make_arena: MakeArena, crowded_server: Crowded) -> None:
    """It takes no writes at all, however small, until it can keep them."""
    server = crowded_server(store, 8)
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("appendfsync", "everysec")
    endure(make_arena(store, redis_url=server.url), server.folder)


@pytest.mark.long
@pytest.mark.fault("F25")
@pytest.mark.parametrize("store", ["valkey", "redis62"])
def test_a_redis_that_ends_over_a_full_disk(store: str, make_arena: MakeArena, crowded_server: Crowded) -> None:
    """With `appendfsync always` it would rather be gone than break its word; started again, it knows everything."""
    server = crowded_server(store, 8)
    arena = make_arena(store, redis_url=server.url)
    arena.put(*(job(f"k{number}", seconds=0.03) for number in range(JOBS)))
    arena.project.work("--workers=2")
    until(lambda: len(arena.done()) > 10, "the worker to be busy")
    with filled(server.folder):
        until(lambda: not Path(f"/proc/{server.pid}/cwd").exists(), "the server's end")
    server.kill()
    server.start()
    arena.await_done(arena.acknowledged)
    arena.await_rest()
    arena.check(may_double=arena.acknowledged, recounted=arena.acknowledged)


@pytest.mark.long
@pytest.mark.fault("F25")
@pytest.mark.parametrize(("store", "megabytes"), [("postgres", 120), ("mariadb", 300)])
def test_a_database_on_a_full_disk(store: str, megabytes: int, make_arena: MakeArena, crowded_server: Crowded) -> None:
    """It takes what still fits; what it refuses is refused whole, and nothing that it took is lost."""
    server = crowded_server(store, megabytes)
    arena = make_arena(store, database_url=server.url)
    arena.put(*(job(f"k{number}", seconds=0.03) for number in range(JOBS)))
    worker = arena.project.work("--workers=2")
    until(lambda: len(arena.done()) > 10, "the worker to be busy")
    with filled(server.folder):
        late = [f"late{number}{'x' * 900}" for number in range(300)]
        assert len(arena.push(late)) < len(late)
    arena.await_done(arena.acknowledged)
    arena.await_rest()
    arena.check()
    until(lambda: worker.output().count(LOST) == worker.output().count(BACK), "the return")


def endure(arena: Arena, disk: Path) -> None:
    """One worker, in whose middle of work the disk is full for a while."""
    arena.put(*(job(f"k{number}", seconds=0.03) for number in range(JOBS)))
    worker = arena.project.work("--workers=2")
    until(lambda: len(arena.done()) > 10, "the worker to be busy")
    sit_out(arena, [worker], filled(disk), meanwhile=lambda: push_in_vain(arena))
    arena.await_done(arena.acknowledged)
    arena.await_rest()
    arena.check()
    assert "late" not in arena.done()
    assert arena.push(["in time"]) == ["in time"]


def push_in_vain(arena: Arena) -> None:
    """The producer is told why, and that it is not its fault."""
    assert arena.push(["late"]) == []
    told = arena.project.cli("dispatch", "Ledger", '{"key": "late"}', code=1).stderr
    assert "no room left" in told or "no more writes" in told
    assert "Traceback" not in told
