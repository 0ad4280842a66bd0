"""A child can die, lie or leave at any moment; its parent takes note and goes on."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from time import monotonic, sleep

import pytest

from queuectl.jobs.outcome import Ending
from queuectl.worker.children import MOMENT, MOMENTS, Child, Death, start_environment
from queuectl.worker.frames import Frame, Kind, pack

SAY_HELLO = """
import os, select, signal, socket, sys
from queuectl.worker.frames import Kind, pack, to_head
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
line = socket.socket(fileno=int(sys.argv[1]))
line.sendall(pack(Kind.HELLO, head=to_head({"jobs": {}})))
select.select([line], [], [])
"""

MakeChild = Callable[[str], Child]


@pytest.fixture
def start() -> Iterator[MakeChild]:
    """Start a child that runs a program of the test's own, once it has said hello and been given something."""
    started: list[Child] = []

    def begin(program: str) -> Child:
        child = Child([sys.executable, "-c", SAY_HELLO + program], start_environment())
        started.append(child)
        while not list(child.receive()):
            select.select([child], [], [])
        child.assign(1, pack(Kind.RUN, 1, body=b"x" * 1_000_000), 60)
        child.flush()
        return child

    yield begin
    for child in started:
        child.kill()
        child.close()
        child.wait()


def until_hung_up(child: Child) -> list[Frame]:
    """What it says before its line ends."""
    frames: list[Frame] = []
    while not child.hung_up:
        select.select([child], [], [])
        frames += child.receive()
    return frames


def until_dead(child: Child) -> Death:
    deadline = monotonic() + 30
    while (death := child.reap()) is None:
        assert monotonic() < deadline
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return death


def test_a_child_that_dies_with_a_payload_half_read_has_hung_up(start: MakeChild) -> None:
    """The connection reset by its death is no error of ours."""
    child = start("os.kill(os.getpid(), signal.SIGKILL)")
    assert until_hung_up(child) == []
    child.flush()
    assert os.WTERMSIG(until_dead(child).status) == signal.SIGKILL


def test_a_child_that_talks_nonsense_has_hung_up(start: MakeChild) -> None:
    """A job may write into any descriptor, its worker's line as well."""
    child = start('line.sendall(b"x" * 8 + bytes([0]) * 20); select.select([], [], [])')
    assert until_hung_up(child) == []


def test_a_job_that_left_its_process_group_is_killed_all_the_same(start: MakeChild) -> None:
    """With what it left behind in the group."""
    child = start("os.fork() or signal.pause(); os.setpgid(0, os.getpgid(os.getppid())); signal.pause()")
    while os.getpgid(child.pid) == child.pid:
        sleep(0.005)
    child.kill(Ending.TIMED_OUT)
    assert os.WTERMSIG(until_dead(child).status) == signal.SIGKILL


def test_a_child_that_does_not_say_where_it_is_is_killed_all_the_same(start: MakeChild) -> None:
    """It is asked a few times over, and then ended for its lateness."""
    child = start("signal.pause()")
    now = monotonic() + 60
    for _ in range(MOMENTS):
        child.end_late(now := now + MOMENT)
        assert child.killed_for is None
    child.end_late(now + MOMENT)
    assert (child.killed_for, child.overdue) == (Ending.TIMED_OUT, {1})
    death = until_dead(child)
    assert (os.WTERMSIG(death.status), death.trace) == (signal.SIGKILL, "")


def test_a_child_leaves_behind_what_it_had_begun(start: MakeChild) -> None:
    """And where it was, if it could tell."""
    program = """
box = int(sys.argv[3])
os.pwrite(box, (7).to_bytes(8, sys.byteorder), 0)
os.write(box, b"Fatal Python error")
os.abort()
"""
    death = until_dead(start(program))
    assert (death.begun, death.trace) == ({7}, "Fatal Python error")


def test_a_buried_child_is_never_killed_again(start: MakeChild) -> None:
    """Its number may belong to somebody else by then."""
    child = start("")
    until_dead(child)
    child.kill(Ending.TIMED_OUT)
    assert child.killed_for is None
