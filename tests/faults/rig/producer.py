"""An application that dispatches jobs until the file `enough` is there, whatever happens to the store meanwhile.

`python -m tests.faults.rig.producer RATE SEED` in the folder of a project. It notes each key in the file `pushed`: `?`
when it sets out to push it, `+` when the push returned, `-` when it said that it could not.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from queuectl import QueuectlError
from tests.acceptance.project import Project
from tests.faults.rig.arena import REPOSITORY, Arena

ENOUGH, PUSHED = "enough", "pushed"
LONG_JOB = 3.0
"""Seconds: longer than the leases of a soak."""
WISHING = "w"
"""How the keys of jobs begin that fail for good."""


class Producer:
    """The process, seen from the test."""

    def __init__(self, arena: Arena, rate: float, seed: int) -> None:
        self._arena = arena
        self._process = start(arena.project, "tests.faults.rig.producer", str(rate), str(seed))

    @property
    def pid(self) -> int:
        return self._process.pid

    def finish(self) -> None:
        """Let it come to its end, and take over what it noted."""
        (self._arena.project.folder / ENOUGH).touch()
        try:
            assert self._process.wait(30) == 0, "the producer ended with an error"
        finally:
            self.close()
        for line in (self._arena.project.folder / PUSHED).read_text().splitlines():
            told = {"?": self._arena.attempted, "+": self._arena.acknowledged}.get(line[0], set())
            told.add(line[1:])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def start(project: Project, module: str, *words: str) -> subprocess.Popen[bytes]:
    """A program of the tests' own, as a part of the application."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        cwd=project.folder,
        env={**project.environment, "PYTHONPATH": f"{project.folder}:{REPOSITORY}"},
        stdin=subprocess.DEVNULL,
    )


def produce(rate: float, lots: random.Random) -> None:
    """So many jobs a second, as long as the store takes them."""
    number = 0
    while not Path(ENOUGH).exists():
        key, dispatch = _next(number, lots)
        _note("?" + key)
        try:
            dispatch()
            _note("+" + key)
        except QueuectlError:
            _note("-" + key)
        number += 1
        time.sleep(lots.expovariate(rate))


def _next(number: int, lots: random.Random) -> tuple[str, Callable[[], object]]:
    """Mostly quick jobs, some slow, some late, some that fail for good."""
    from ledger_jobs import Ledger, Wishing

    key, lot = f"k{number}", lots.random()
    if lot < 0.05:
        return WISHING + key, lambda: Wishing.dispatch(key=WISHING + key, wish="fail")
    if lot < 0.10:
        return key, lambda: Ledger.later(lots.uniform(0.1, 2)).dispatch(key=key)
    if lot < 0.11:
        return key, lambda: Ledger.dispatch(key=key, seconds=LONG_JOB)
    return key, lambda: Ledger.dispatch(key=key, seconds=lots.choice((0.0, 0.0, 0.02, 0.1, 0.2)))


def _note(line: str) -> None:
    descriptor = os.open(PUSHED, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


if __name__ == "__main__":
    produce(float(sys.argv[1]), random.Random(int(sys.argv[2])))
