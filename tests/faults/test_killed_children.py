"""Many jobs, and a child killed every moment: what was killed is done again, and the checker names the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from time import monotonic

import pytest

from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena
from tests.faults.rig.checker import examine
from tests.faults.rig.killer import Killer, speechless, unacknowledged

WORKERS = 4
JOB = "Ledger({job}, after=0 if n % 10 else 0.002)"
"""Every tenth one takes a moment between its effect and its end, or hardly a kill would fall between them."""
PART = 10_000
"""Jobs that are pushed at once."""
LARGEST, GROWTH = 60 << 20, 4 << 20
"""Bytes that the parent of a worker may have in memory, and by how many that may grow with the jobs."""


@dataclass(frozen=True)
class Plan:
    """How much, and how hard."""

    jobs: int
    every: float
    """Seconds between two kills."""
    most: float = inf
    """So many kills."""


Note = Callable[[str, object], None]


@pytest.mark.fault("F1", "F10")
@pytest.mark.parametrize("store", ["sqlite", "valkey"])
def test_thousands_of_jobs_whose_processes_are_killed(
    store: str, make_arena: MakeArena, draw: int, record_property: Note
) -> None:
    """The big run in miniature."""
    _drain(store, make_arena(store), Plan(jobs=3_000, every=0.3, most=8), draw, record_property)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.fault("F1", "F3", "F10")
def test_a_hundred_thousand_jobs_whose_processes_are_killed(
    store: str, make_arena: MakeArena, draw: int, record_property: Note
) -> None:
    """One each second, by `--seed`."""
    _drain(store, make_arena(store), Plan(jobs=100_000, every=1.0), draw, record_property)


def _drain(store: str, arena: Arena, plan: Plan, seed: int, note: Note) -> None:
    """None is lost. A job is done twice exactly if its process was killed between its effect and the acknowledgement;
    attempts are starts, but for those that were killed before their first word, which their worker names."""
    for part in range(ceil(plan.jobs / PART)):
        arena.push_many(min(PART, plan.jobs - part * PART), prefix=f"k{part}-", expression=JOB)
    begun = monotonic()
    workers = [arena.project.work("--stop-when-empty", "--tries=5", "--json") for _ in range(WORKERS)]
    killer = Killer(arena.project, workers, seed, every=plan.every, most=plan.most)
    killer.haunt(patience=1800)
    seconds = monotonic() - begun
    assert [worker.ends() for worker in workers] == [0] * WORKERS
    events = arena.project.events()
    told = [line for worker in workers for line in worker.output().splitlines()]
    twice, silent = unacknowledged(events, killer.kills), speechless(examine(arena.history()), events, told)
    found = arena.check(doubled=twice, recounted=silent)
    assert found.done == plan.jobs
    assert killer.kills
    for sizes in killer.memory.values():
        assert max(sizes) < LARGEST
        assert sizes[-1] - sizes[len(sizes) // 2] < GROWTH
    note("struck", len(killer.kills))
    memory = max(map(max, killer.memory.values())) >> 20
    line = (
        f"{store}: {found.done:,} jobs in {seconds:.0f} s, children killed {len(killer.kills)}, "
        f"lost {len(found.lost)}, doubled {len(twice)}, killed before a word {len(silent)}; "
        f"memory of a parent at most {memory} MB"
    )
    note("report", [line])
