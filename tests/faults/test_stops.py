"""A worker that is told to stop at an awkward moment: it ends soon, with its running job done or given back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from subprocess import DEVNULL

import pytest

from queuectl.testing.wires import Refusal, Wire
from tests.acceptance.project import PATIENCE, Worker, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.lines import SERVERS, Line
from tests.faults.rig.outages import LOST, locked

FAR = 600
"""Seconds of a pause that no test outlives."""


@pytest.fixture
def store() -> str:
    """None of this depends on it, unless a test says so."""
    return "sqlite"


def stop(worker: Worker) -> int:
    """TERM, and the exit code."""
    worker.signal(signal.SIGTERM)
    return worker.ends()


@pytest.mark.fault("F14")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_is_one_to_the_worker(arena: Arena, number: signal.Signals) -> None:
    """As a service manager sends it: the child leaves the decision to its parent, and ends its job."""
    arena.put(job("k", "Gate"), job("next"))
    worker = arena.project.work()
    child = until(lambda: arena.project.starts("k"), "the job to start")[0]["pid"]
    os.kill(child, number)
    worker.signal(number)
    os.kill(child, number)
    (arena.project.folder / "open").touch()
    assert worker.ends() == 0
    assert arena.done() == {"k"}
    arena.check()


@pytest.mark.fault("F14")
def test_control_c_on_a_terminal_reaches_the_worker_only(arena: Arena) -> None:
    """Its job, which is no member of the terminal's foreground, is done; another one is not started."""
    arena.put(job("k", "Gate"), job("next"))
    keyboard, terminal = os.openpty()
    command = ["setsid", "--ctty", "--wait", sys.executable, "-m", "queuectl", "work"]
    with subprocess.Popen(
        command, cwd=arena.project.folder, env=arena.project.environment, stdin=terminal, stdout=DEVNULL, stderr=DEVNULL
    ) as run:
        os.close(terminal)
        until(lambda: arena.project.starts("k"), "the job to start")
        os.write(keyboard, b"\x03")
        (arena.project.folder / "open").touch()
        assert run.wait(PATIENCE) == 0
    os.close(keyboard)
    assert arena.done() == {"k"}
    arena.check()


@pytest.mark.fault("F14")
@pytest.mark.parametrize("pause", ["--sleep", "--rest", "--backoff"])
def test_no_pause_delays_a_stop(arena: Arena, pause: str) -> None:
    """Neither that of an idle worker nor the one after a job or before its next attempt."""
    arena.put(job("k", "Failing"))
    worker = arena.project.work(f"{pause}={FAR}", "--tries=2")
    until(lambda: arena.project.starts("k"), "the job")
    assert stop(worker) == 0
    arena.check()


@pytest.mark.fault("F14")
def test_a_worker_whose_children_die_at_birth_can_be_stopped(arena: Arena) -> None:
    """In the pause before the next one is started."""
    (arena.project.folder / "ledger_jobs.py").write_text("import os\nos._exit(3)\n")
    worker = arena.project.work()
    until(lambda: "before it was ready" in worker.output(), "the first death")
    assert stop(worker) == 0


@pytest.mark.fault("F14")
def test_a_worker_can_be_stopped_before_its_first_child_is_ready(arena: Arena) -> None:
    """The application takes for ever to import."""
    arena.put(job("k"))
    (arena.project.folder / "ledger_jobs.py").write_text("import signal\nsignal.pause()\n")
    worker = arena.project.work()
    until(worker.children, "its child")
    assert stop(worker) == 0
    assert arena.places() == {"k": ["ready"]}


@contextmanager
def cut(wire: Wire) -> Iterator[None]:
    """Nobody listens at the other end."""
    wire.spoil(Refusal())
    yield
    wire.mend()


@pytest.mark.fault("F14")
@pytest.mark.parametrize("line", SERVERS, indirect=True)
def test_an_outage_delays_no_stop(line: Line, make_arena: MakeArena) -> None:
    """A worker that holds nothing needs no store to leave."""
    arena = make_arena("valkey" if "redis" in line.url else "postgres", **line.settings)
    arena.put(job("k"))
    worker = arena.project.work()
    arena.await_done(["k"])
    arena.await_rest()
    with cut(line.wire):
        until(lambda: LOST in worker.output(), "the outage to be noticed")
        assert stop(worker) == 0
    arena.check()


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    "line",
    [pytest.param(store, marks=[] if store == "valkey" else pytest.mark.long) for store in SERVERS],
    indirect=True,
)
def test_a_stop_in_an_outage_says_which_outcome_it_leaves_behind(line: Line, make_arena: MakeArena) -> None:
    """On every server."""
    arena = make_arena("valkey" if "redis" in line.url else "postgres", retry_after=2, **line.settings)
    _leaves_its_outcome_behind(arena, cut(line.wire))


@pytest.mark.fault("F14")
def test_a_stop_with_a_locked_file_says_which_outcome_it_leaves_behind(make_arena: MakeArena) -> None:
    """As if it were a server that is away."""
    arena = make_arena("sqlite", retry_after=2)
    _leaves_its_outcome_behind(arena, locked(arena.project.folder / "storage/queue.sqlite"))


def _leaves_its_outcome_behind(arena: Arena, outage: AbstractContextManager[None]) -> None:
    """The job is done and nobody can be told: exit 1 names it, and it runs once more after its lease."""
    left = job("k", "Gate")
    arena.put(left)
    worker = arena.project.work()
    until(lambda: arena.project.starts("k"), "the job to start")
    with outage:
        (arena.project.folder / "open").touch()
        arena.await_done(["k"])
        until(lambda: LOST in worker.output(), "the outage to be noticed")
        assert stop(worker) == 1
    assert f"did not take the outcome of {left.uuid}; it will run again" in worker.output()
    arena.await_expiry()
    arena.project.drain()
    arena.check(doubled=["k"])
