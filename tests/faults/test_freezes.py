"""Workers that stand still for longer than their leases: what they bring back late changes nothing."""

from __future__ import annotations

import signal

import pytest

from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import job
from tests.faults.rig.freezing import freeze, thaw

WISHES = ("done", "release", "fail")


@pytest.mark.fault("F12")
def test_what_a_frozen_worker_brings_back_late_changes_nothing(store: str, make_arena: MakeArena) -> None:
    """Whether a job ends before its worker learns that it has lost it or after: done, released or failed, the attempt
    of its successor stays as it is, and the worker says of each job how long it was held."""
    arena = make_arena(store, retry_after=2)
    project, jobs = arena.project, [job(wish, "Late", wish=wish) for wish in WISHES]
    arena.put(*jobs)
    late = project.work("--workers=3")
    until(lambda: len(project.events()) == len(WISHES), "the jobs to start")
    runs_on = [event["pid"] for event in project.events() if event["key"] == "fail"]
    frozen = freeze(late)
    successor = project.work("--workers=3")
    until(lambda: len(project.events()) == 2 * len(WISHES), "the second attempts")
    (project.folder / "open").touch()
    thaw(set(frozen[1:]) - set(runs_on))
    until(lambda: project.done()["done"], "a job's late end")
    thaw(frozen[:1])
    until(lambda: late.output().count("lost its lease after") == len(WISHES), "the warnings")
    thaw(runs_on)
    late.signal(signal.SIGTERM)
    assert late.ends() == 0
    [row] = project.monitor("default")
    assert (row["pending"], row["delayed"], row["reserved"], project.failed()) == (0, 0, len(WISHES), [])
    (project.folder / "finish").touch()
    arena.await_done(WISHES)
    successor.signal(signal.SIGTERM)
    assert successor.ends() == 0
    arena.check(doubled=["done"])
    assert [len(project.starts(wish)) for wish in WISHES] == [2, 2, 2]
    for one in jobs:
        assert late.output().count(f"({one.uuid}) lost its lease after") == 1
    assert "lost its lease" not in successor.output()
