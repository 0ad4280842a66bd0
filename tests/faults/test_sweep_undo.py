"""A process dies while it removes, or undoes: each job is where it was or kept, and an undo brings it back."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.nursery import Nursery

PROGRAM = """
from queuectl.app import App
from tests.faults.rig.trips import Trips

trips = Trips()
driver = App.load().driver()
[first, _] = driver.page("NAME", "ready").items
rows = [row.uuid for row in driver.failed.page(queue="NAME").items]


def remove():
    driver.cancel([first], keep="NAME")
    driver.clear("NAME", keep="NAME")
    driver.failed.forget(rows, keep="NAME")


def undo():
    driver.removed.put_back("NAME")


CALLS
"""
CALLS = {
    "remove": "trips.counted = True; remove()",
    "undo": "remove(); trips.counted = True; undo()",
}
quick_on_two = pytest.mark.parametrize(
    "store",
    ["sqlite", "valkey", *(pytest.param(name, marks=pytest.mark.long) for name in ("postgres", "mariadb", "redis62"))],
)


def undo(arena: Arena, operation: str) -> None:
    """As somebody does who sees that a command was killed."""
    with closing(arena.app()) as app:
        removed = app.driver(arena.project.connection).removed
        while removed.put_back(operation).more:
            pass
        assert removed.count(operation) == 0


@pytest.mark.fault("F4", "F39")
@quick_on_two
def test_no_job_is_lost_or_doubled_by_an_interrupted_removal(
    store: str, make_arena: MakeArena, nursery: Nursery
) -> None:
    """Wherever the process that cancels, clears, forgets or undoes was killed: an undo, once more, makes it good."""
    arena = make_arena(store, retry_after=60)
    expected = {}
    for call, source in CALLS.items():
        before = arena.struck
        for fault in arena.sweep("trip", ["kill-before"]):
            name = f"{call}-{fault.name}"
            arena.put(*(job(f"{name}.{number}", queue=name) for number in range(2)))
            arena.bury(arena.project.connection, job(f"{name}.failed", queue=name))
            program = PROGRAM.replace("CALLS", source).replace("NAME", name)
            ended = nursery.python(arena.project, program, fault=fault.environment)
            assert ended.code in (0, -9), ended
            undo(arena, name)
            expected |= {f"{name}.0": ["ready"], f"{name}.1": ["ready"], f"{name}.failed": ["failed"]}
        assert arena.struck > before
    assert arena.places() == expected
