"""Children that cannot be started: waited for where the lack may pass, given up where it will not."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from queuectl.worker.crew import HOPELESS, SPARE_DESCRIPTORS, Crew

SIZE = 500


def descriptors_left(count: int) -> AbstractContextManager[None]:
    """Let this process open so many more, and as many as there are gaps among its open ones."""
    highest = max(int(open_one.name) for open_one in Path("/proc/self/fd").iterdir())
    return descriptors(highest + 1 + count)


@contextmanager
def descriptors(count: int) -> Iterator[None]:
    """Let this process have so many, those that are open already included."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_few_descriptors_mean_fewer_children() -> None:
    """Those that could be started stay, one note tells of the others, and the store keeps a few."""
    notes: list[str] = []
    crew = Crew([sys.executable, "-c", "input()"], SIZE, memory=0, note=notes.append)
    with descriptors_left(SPARE_DESCRIPTORS + 4):
        crew.fill()
        crew.fill()
        for spare in [os.open(os.devnull, os.O_RDONLY) for _ in range(SPARE_DESCRIPTORS - 2)]:
            os.close(spare)
    assert 0 < len(list(crew)) < SIZE
    assert len(notes) == 1
    assert "Too many open files" in notes[0]
    assert 0 < crew.start_in < 60
    assert not crew.hopeless
    crew.dismiss(patience=0)


def test_too_few_descriptors_for_a_single_child_are_no_shortage_that_passes() -> None:
    """They are this process's own limit: it says so once and gives up."""
    notes: list[str] = []
    crew = Crew([sys.executable, "-c", "input()"], SIZE, memory=0, note=notes.append)
    with descriptors(SPARE_DESCRIPTORS):
        crew.fill()
    assert crew.hopeless
    assert len(notes) == 1
    assert "ulimit -n" in notes[0]


def test_a_program_that_is_not_there_is_given_up() -> None:
    """As children that die at birth are."""
    notes: list[str] = []
    crew = Crew(["/no/such/program"], 1, memory=0, note=notes.append)
    for _ in range(HOPELESS):
        crew._start()
    assert crew.hopeless
    assert "No such file" in notes[0]
