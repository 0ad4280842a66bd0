"""What Redis refuses: writes while its memory is full, while it is a replica, while it has too few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis

from queuectl.testing.server import Server
from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.outages import LOST, sit_out

REDISES = pytest.mark.parametrize("store", ["valkey", pytest.param("redis62", marks=pytest.mark.long)])
OwnServer = Callable[[str], Server]
Admin = redis.Redis


@contextmanager
def lonely(admin: Admin) -> Iterator[None]:
    """It takes no writes without a replica, and has none."""
    admin.config_set("min-replicas-to-write", 1)
    yield
    admin.config_set("min-replicas-to-write", 0)


@contextmanager
def demoted(admin: Admin) -> Iterator[None]:
    """A replica of nobody who is there: as after a failover."""
    admin.execute_command("REPLICAOF", "127.0.0.1", 1)
    yield
    admin.execute_command("REPLICAOF", "NO", "ONE")


@REDISES
@pytest.mark.parametrize(
    "trouble",
    [pytest.param(lonely, marks=pytest.mark.fault("F26")), pytest.param(demoted, marks=pytest.mark.fault("F27"))],
)
def test_a_server_that_only_answers_questions(
    store: str, trouble: Callable[[Admin], object], make_arena: MakeArena, own_server: OwnServer
) -> None:
    """Its worker waits as in any outage, and nothing is done twice."""
    server = own_server(store)
    arena = make_arena(store, redis_url=server.url)
    arena.put(*(job(f"k{number}", seconds=0.03) for number in range(80)))
    worker = arena.project.work("--workers=2")
    until(lambda: len(arena.done()) > 10, "the worker to be busy")
    with redis.Redis.from_url(server.url) as admin:
        sit_out(arena, [worker], trouble(admin), meanwhile=lambda: refused(arena, 69), lasts=1.0)
    arena.await_done(arena.acknowledged)
    arena.await_rest()
    arena.check()


@pytest.mark.fault("F26")
@REDISES
def test_a_full_memory_is_worked_off(store: str, make_arena: MakeArena, own_server: OwnServer) -> None:
    """Pushes are refused; the jobs that are there are done, which makes room."""
    server = own_server(store)
    arena = make_arena(store, redis_url=server.url)
    arena.put(*(job(f"k{number}", seconds=0.01) for number in range(80)))
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("maxmemory", 1)
        refused(arena, 1)
        worker = arena.project.work("--workers=2")
        arena.await_done(arena.acknowledged)
        assert LOST not in worker.output()
        admin.config_set("maxmemory", 0)
    arena.await_rest()
    arena.check()
    assert arena.push(["in time"]) == ["in time"]


def refused(arena: Arena, code: int) -> None:
    """A producer is told."""
    told = arena.project.cli("dispatch", "Ledger", '{"key": "late"}', code=code).stderr
    assert "Traceback" not in told
