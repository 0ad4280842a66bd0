"""Clocks that are wrong, and clocks that jump: leases and delays go by the store's, limits and pauses by none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.acceptance.project import Project, Worker, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.clocks import WallClock
from tests.faults.rig.lines import SERVERS

HOUR = 3600
LEASE = 2


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock")


@pytest.mark.fault("F31")
@pytest.mark.parametrize("store", [*SERVERS[:-1], pytest.param(SERVERS[-1], marks=pytest.mark.long)])
def test_a_worker_whose_clock_is_wrong_and_jumps(store: str, make_arena: MakeArena, clock: WallClock) -> None:
    """It neither takes jobs that others run nor starves, and its own are not taken. A delay that a producer with a
    wrong clock asks for is that delay."""
    arena = make_arena(store, retry_after=LEASE)
    workers = [arena.project.work("--timeout=20"), beside(arena.project, clock, HOUR)]
    arena.put(*(job(f"long{number}", seconds=2.5 * LEASE) for number in range(2)))
    until(lambda: len(starts(arena)) == 2, "both to be busy")
    arena.put(*(job(f"k{number}", seconds=0.02) for number in range(40)))
    clock.set(-2 * HOUR)
    pushed = time.monotonic()
    arena.push(["later"], "Ledger.later(2).dispatch(key=key)", **clock.environment)
    until(lambda: "later" in {event["key"] for event in starts(arena)}, "the delayed job", 20.0)
    clock.set(2 * HOUR)
    arena.await_done(arena.acknowledged)
    arena.await_rest()
    [began] = [event["t"] for event in starts(arena) if event["key"] == "later"]
    assert began - pushed >= 2
    assert len({event["pid"] for event in starts(arena)}) == 2
    arena.check()
    assert all(worker.process.poll() is None for worker in workers)


@pytest.mark.fault("F31")
@pytest.mark.parametrize("jump", [-2 * HOUR, 2 * HOUR], ids=["back", "ahead"])
def test_a_host_whose_clock_jumps_under_a_file(jump: int, make_arena: MakeArena, clock: WallClock) -> None:
    """The file's clock is the host's. What runs is not cut short, and what is pushed from then on is done: once."""
    arena = make_arena("sqlite", retry_after=LEASE)
    worker = beside(arena.project, clock, 0)
    arena.put(job("long", seconds=2.5 * LEASE))
    until(lambda: starts(arena), "the long job")
    clock.set(jump)
    arena.push(["soon"], **clock.environment)
    arena.await_done(arena.acknowledged, 20.0)
    arena.project.environment |= clock.environment
    arena.await_rest()
    arena.check()
    assert "trying again" not in worker.output()


def beside(project: Project, clock: WallClock, seconds: int) -> Worker:
    """A worker by this clock."""
    clock.set(seconds)
    plain = project.environment
    project.environment = {**plain, **clock.environment}
    try:
        return project.work("--timeout=20")
    finally:
        project.environment = plain


def starts(arena: Arena) -> list[dict[str, object]]:
    return [event for event in arena.project.events() if event["ev"] == "start"]
