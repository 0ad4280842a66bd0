"""A store that freezes, dies or restarts under its workers: they wait without fuss, and every job is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from queuectl.testing.server import Server
from tests.acceptance.project import Worker, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.lines import SERVERS
from tests.faults.rig.outages import frozen, killed, locked, sit_out, stopped

JOBS, CHILDREN = 150, 2
MEMORY = 2.0
"""Seconds, on a busy machine; its delay between two writes is a fifth of one."""
OwnServer = Callable[[str], Server]


@pytest.mark.fault("F18")
def test_a_locked_file_is_waited_for(make_arena: MakeArena) -> None:
    """For as long as another program holds it."""
    arena = make_arena("sqlite", retry_after=2)
    workers = begin(arena)
    sit_out(arena, workers, locked(arena.project.folder / "storage/queue.sqlite"))
    finish(arena, set())


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(frozen, marks=pytest.mark.fault("F18")),
        pytest.param(killed, marks=pytest.mark.fault("F19")),
        pytest.param(stopped, marks=[pytest.mark.fault("F20"), pytest.mark.long]),
    ],
)
@pytest.mark.parametrize("store", SERVERS)
def test_a_server_that_is_away_is_waited_for(
    store: str, trouble: Callable[[Server], AbstractContextManager[None]], make_arena: MakeArena, own_server: OwnServer
) -> None:
    """At most what ran in the meantime is done twice, by workers that lost their leases, and what they reserved without
    hearing of it has an attempt more. A PostgreSQL that is killed forgets what its workers did last, too."""
    server = own_server(store)
    arena = make_arena(store, retry_after=2, **{"redis_url" if "redis" in server.url else "database_url": server.url})
    workers = begin(arena)
    forgotten = begun_of_late(arena) if (store, trouble) == ("postgres", killed) else set()
    sit_out(arena, workers, trouble(server))
    finish(arena, forgotten)


def begin(arena: Arena) -> list[Worker]:
    """Two workers in the middle of their work."""
    arena.put(*(job(f"k{number}", seconds=0.03) for number in range(JOBS)))
    workers = [arena.project.work("--tries=5", f"--workers={CHILDREN}") for _ in range(2)]
    until(lambda: len(arena.done()) > 20, "the workers to be busy")
    return workers


def begun_of_late(arena: Arena) -> set[str]:
    """What a server may forget that writes finished turns down several times a second."""
    late = time.monotonic() - MEMORY
    return {event["key"] for event in arena.project.events() if event["ev"] == "start" and event["t"] > late}


def finish(arena: Arena, forgotten: set[str]) -> None:
    """Everything is done; what is not as if nothing had happened is at most what was running, and *forgotten*."""
    arena.await_done(arena.acknowledged)
    arena.await_rest()
    found = arena.check(may_double=arena.acknowledged, recounted=arena.acknowledged)
    assert len(found.doubled.keys() - forgotten) <= 2 * CHILDREN
    assert len(found.miscounted.keys() - forgotten) <= 2 * CHILDREN
