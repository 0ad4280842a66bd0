"""A worker is killed with everything it has, as a host that dies: what it held comes back, and nothing else does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from time import monotonic

import pytest

from tests.acceptance.project import Worker, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job

LEASE = 2
OTHERS = [f"k{number}" for number in range(18)]


@pytest.mark.fault("F2", "F3", "F16")
def test_what_a_killed_worker_held_comes_back_after_the_lease(
    store: str, make_arena: MakeArena, record_property: Callable[[str, object], None]
) -> None:
    """It held no more than it could run at once. The job whose effect was there is done twice, the other once, and both
    see that it is their second attempt. The eighteen that it had not reserved start once."""
    arena = make_arena(store, retry_after=LEASE)
    arena.put(job("before", "Gate"), job("after", "Lingering"), *(job(key) for key in OTHERS))
    worker = arena.project.work("--workers=2")
    until(lambda: len(arena.project.events()) == 3, "two starts, and one effect")
    assert held(arena) == (2, 18)
    killed = kill(worker)
    assert held(arena) == (2, 18)
    successor = arena.project.work()
    arena.await_done({"before", "after", *OTHERS})
    again = until(lambda: arena.project.starts("before")[1:], "the second attempt")[0]
    record_property("recovery", {"host lost": [again["t"] - killed]})
    arena.await_rest()
    successor.signal(signal.SIGTERM)
    assert successor.ends() == 0
    arena.check(doubled={"after"})
    assert [attempts(arena, key) for key in ("before", "after", *OTHERS)] == [2, 2, *(1 for _ in OTHERS)]


def held(arena: Arena) -> tuple[int, int]:
    """How many jobs `monitor` shows as reserved, and as waiting."""
    [row] = [row for row in arena.project.monitor("default") if row["connection"] == arena.project.connection]
    return row["reserved"], row["pending"]


def kill(worker: Worker) -> float:
    """SIGKILL to a worker and its children, at once; when that was."""
    victims = [worker.pid, *worker.children()]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    assert worker.ends() == -signal.SIGKILL
    return monotonic()


def attempts(arena: Arena, key: str) -> int:
    return len(arena.project.starts(key))
