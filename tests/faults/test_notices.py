"""Whoever waits for a job hears the truth of its end, whatever becomes of the worker that is about to tell it."""

from __future__ import annotations

from contextlib import closing

import pytest

from queuectl.awaiting import Awaited
from queuectl.clock import FakeClock
from queuectl.jobs.payload import watched
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.faulty import MODES
from tests.faults.rig.nursery import Nursery

LONG = 1_000.0


@pytest.mark.parametrize(("name", "truth"), [("Ledger", "done"), ("Failing", "failed")])
def test_an_end_is_always_told_and_never_wrong(name: str, truth: str, make_arena: MakeArena, nursery: Nursery) -> None:
    """Also by a worker that is to stop at once. That a job has failed is found where it lies, should its worker be
    killed before it could say so; of one that is done nothing is left to be found, and that is what is said then."""
    arena = make_arena("sqlite")
    for mode in MODES:
        entry = job(mode, name, queue=mode)
        arena.put(entry._replace(payload=watched(entry.payload, mode)))
        fault = arena.fault("control.tell_end", 1, mode)
        nursery.run(arena.project, "work", f"--queue={mode}", "--max-jobs=1", fault=fault)
        is_lost = mode == "kill-before" and truth == "done"
        assert (mode, heard(arena, entry.uuid, mode)) == (mode, "lost" if is_lost else truth)
    assert [strike.mode for strike in arena.strikes()] == list(MODES)


def heard(arena: Arena, uuid: str, watch: str) -> str:
    """What somebody hears who has waited long enough, under a clock that makes it so."""
    clock = FakeClock()
    with closing(arena.app()) as app:
        driver = app.driver()
        awaited = Awaited(watch, [driver.failed], clock=clock)
        awaited.expect(driver, [uuid])
        for _ in range(3):
            for ended in awaited.look():
                return "lost" if ended.end is None else "done" if ended.end.done else "failed"
            clock.sleep(LONG)
    return "nothing"
