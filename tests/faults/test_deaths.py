"""Jobs whose process dies under them, by whoever's hand: each death is noticed, explained, and counted once."""

from __future__ import annotations

import os
import signal

import pytest

from tests.acceptance.project import Project, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.records import records

DIED = "queuectl.errors.WorkerDied"
FOREVER = 600
"""A lease that no test outlives: what comes back was given back."""


@pytest.mark.fault("F1")
def test_each_job_whose_child_is_killed_runs_again_at_once(store: str, make_arena: MakeArena) -> None:
    """The first, one in the middle and the last of two hundred: twice each, the others once, and the reason is said."""
    arena = make_arena(store, retry_after=FOREVER)
    victims = ["k0", "k99", "k199"]
    keys = [f"k{number}" for number in range(200)]
    arena.put(*(job(key, "Gate" if key in victims else "Ledger") for key in keys))
    worker = arena.project.work("--stop-when-empty", "--tries=3", "-v")
    for victim in victims:
        os.kill(_pid_of(arena.project, victim), signal.SIGKILL)
    assert worker.ends() == 0
    arena.check()
    assert arena.done() == set(keys)
    assert _attempts(arena) == {key: 2 if key in victims else 1 for key in keys}
    assert worker.output().count("killed by signal 9 (SIGKILL)") == len(victims)


DEATHS = {
    "exit": "exited with code 0 in mid-job",
    "exit 3": "exited with code 3 in mid-job",
    "segfault": "killed by signal 11 (SIGSEGV)",
    "abort": "killed by signal 6 (SIGABRT)",
    "bus": "killed by signal 7 (SIGBUS)",
}
CRASHES = {"segfault": "in string_at", "abort": "in handle", "bus": "in _touch_what_is_gone"}
"""What the interpreter still tells of them."""
NO_EXCEPTIONS = ("SystemExit", "KeyboardInterrupt", "GeneratorExit")


@pytest.mark.fault("F6", "F7")
def test_a_job_that_ends_its_process_fails_with_the_reason_and_the_place(arena: Arena) -> None:
    """An exit is no success, whatever its code; a crash shows where it struck; what is no `Exception` only fails."""
    arena.put(*(job(how, "Poison", how=how) for how in DEATHS))
    arena.put(*(job(what, "Raising", what=what) for what in NO_EXCEPTIONS), job("last"))
    arena.project.drain("--tries=1")
    arena.check()
    assert _attempts(arena) == dict.fromkeys((*DEATHS, *NO_EXCEPTIONS, "last"), 1)
    assert arena.done() == {"last"}
    failed = records(arena)
    assert failed.keys() == {*DEATHS, *NO_EXCEPTIONS}
    for how, reason in DEATHS.items():
        assert failed[how].error == DIED
        assert f"{reason}, peak memory" in failed[how].message
    for how, place in CRASHES.items():
        assert "hard_jobs.py" in failed[how].text
        assert place in failed[how].text
    for what in NO_EXCEPTIONS:
        assert failed[what].error == f"builtins.{what}"


@pytest.mark.fault("F6")
@pytest.mark.parametrize("what", ["SystemExit", "KeyboardInterrupt", "GeneratorExit"])
@pytest.mark.parametrize("store", ["sync"])
def test_on_sync_such_an_ending_reaches_whoever_dispatched(store: str, what: str, make_arena: MakeArena) -> None:
    """The job runs in the caller's own process, which may well want to leave."""
    arena = make_arena("sqlite")
    arena.project.python(
        "from ledger_jobs import *\n"
        f"try:\n    Raising.on_connection('sync').dispatch(key='k', what='{what}')\n"
        f"except {what}:\n    Ledger.on_connection('sync').dispatch(key='reached')\n"
    )
    assert arena.project.done() == {"reached": 1}


@pytest.mark.fault("F13")
def test_a_poisonous_job_harms_nobody_but_itself(arena: Arena) -> None:
    """It dies three times among two hundred, even if it may be tried for ever, and each death costs one process."""
    keys = [f"k{number}" for number in range(199)]
    arena.put(job("p", "Poison"), job("e", "Endless"), *(job(key) for key in keys))
    arena.project.drain("--tries=3")
    arena.check()
    assert _attempts(arena) == {"p": 3, "e": 3, **dict.fromkeys(keys, 1)}
    assert arena.done() == set(keys)
    assert {key: record.error for key, record in records(arena).items()} == dict.fromkeys("pe", DIED)
    assert len({event["pid"] for event in arena.project.events() if event["ev"] == "start"}) <= 7


def _attempts(arena: Arena) -> dict[str, int]:
    """By key, the number of its last start, which the check holds to be that of its starts."""
    return {event["key"]: event["attempt"] for event in arena.project.events() if event["ev"] == "start"}


def _pid_of(project: Project, key: str) -> int:
    """The process that runs it, once it does."""
    pid: int = until(lambda: project.starts(key), f"{key} to start")[0]["pid"]
    return pid
