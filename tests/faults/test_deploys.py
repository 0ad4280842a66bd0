"""Workers that are replaced while they work: not one job notices."""

from __future__ import annotations

import signal

import pytest

from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena


@pytest.mark.fault("F15")
@pytest.mark.parametrize(
    ("jobs", "workers", "deploys"),
    [
        pytest.param(300, 2, 2, id="quick"),
        pytest.param(2000, 3, 10, marks=[pytest.mark.long, pytest.mark.timeout(1800)], id="thorough"),
    ],
)
def test_workers_are_replaced_while_they_drain_a_queue(
    store: str, jobs: int, workers: int, deploys: int, make_arena: MakeArena
) -> None:
    """A new one starts, an old one is told to end; in the end all are, by `restart`. Each job runs once."""
    arena = make_arena(store)
    arena.push_many(jobs, expression="Ledger({job}, seconds=0.01)")
    running = [arena.project.work() for _ in range(workers)]
    for deploy in range(1, deploys + 1):
        _await_share(arena, jobs, deploy / (deploys + 2))
        running.append(arena.project.work())
        old = running.pop(0)
        old.signal(signal.SIGTERM)
        assert old.ends() == 0
    _await_share(arena, jobs, (deploys + 1) / (deploys + 2))
    until(lambda: arena.project.monitor()[0]["workers"] == workers, "signs of life")
    arena.project.cli("restart")
    assert [worker.ends() for worker in running] == [0] * workers
    arena.project.drain()
    found = arena.check()
    assert found.done == jobs
    assert {event["attempt"] for event in arena.project.events()} == {1}


def _await_share(arena: Arena, jobs: int, share: float) -> None:
    until(lambda: len(arena.done()) >= jobs * share, f"{share:.0%} of the jobs")
