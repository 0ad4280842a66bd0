"""Whoever waits hears what comes, asleep or awake."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator

import pytest

from queuectl.worker.vigil import MOMENT, Vigil, has_processors_for

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    ours, theirs = os.pipe()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def vigil_on(descriptor: int, *, may_stay_awake: bool = True) -> Vigil:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return Vigil(poll, may_stay_awake=may_stay_awake)


@pytest.mark.parametrize("may_stay_awake", [True, False])
def test_it_finds_what_is_there_and_what_comes(pipe: Pipe, may_stay_awake: bool) -> None:
    """At once, within the moment in which it is awake, and long after it."""
    ours, theirs = pipe
    vigil = vigil_on(ours, may_stay_awake=may_stay_awake)
    for wait in (0, 0, MOMENT / 4, 20 * MOMENT, 0):
        sender = threading.Timer(wait, os.write, (theirs, b"x"))
        sender.start()
        assert vigil.wait() == [(ours, select.POLLIN)]
        os.read(ours, 1)
        sender.join()


def test_a_limit_of_time_holds(pipe: Pipe) -> None:
    """Also for one that has just been awake."""
    ours, theirs = pipe
    vigil = vigil_on(ours)
    os.write(theirs, b"x")
    vigil.wait()
    os.read(ours, 1)
    assert vigil.wait(5) == []
    assert vigil.wait(0) == []


class Counting:
    """A poll that counts how often it is asked."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self.asked = 0

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        self.asked += 1
        return self._poll.poll(timeout)


def test_whoever_waits_long_sleeps() -> None:
    """Of many waits of nothing only the first may have been awake: the others ask once."""
    poll = Counting()
    vigil = Vigil(poll)
    vigil.wait(0)
    vigil.wait(2)
    before = poll.asked
    for _ in range(50):
        vigil.wait(2)
    assert poll.asked - before == 50


def test_there_must_be_a_processor_for_everybody() -> None:
    """Staying awake on the only processor would keep the others from their work."""
    assert not has_processors_for(10_000)
