"""Kills the children of workers, one after the other, by lot; and what that may do to jobs, and what it must not."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from queuectl.worker.children import resident
from tests.acceptance.project import Project, Worker
from tests.faults.rig.checker import Findings

DYING = 0.1
"""Seconds in which a killed process may still have written a line."""
TAIL = 8_192
"""Bytes at the end of the ledger, in which everybody who is at work has a line."""
Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Kill:
    """One that was done."""

    pid: int
    at: float
    """By the clock of the ledger."""


class Killer:
    """Strikes at children that are at work, until their workers have ended by themselves."""

    def __init__(
        self, project: Project, workers: Sequence[Worker], seed: int, *, every: float, most: float = math.inf
    ) -> None:
        """Every so many seconds, at most so often."""
        self._ledger, self._workers = project.ledger, workers
        self._ledger.touch()
        self._lots, self._every, self._most = random.Random(seed), every, most
        self.kills: list[Kill] = []
        self.memory: dict[int, list[int]] = defaultdict(list)
        """By worker, how many bytes its parent had in memory at each kill."""

    def haunt(self, patience: float) -> None:
        """Fails if the workers are not through after *patience* seconds."""
        begun = time.monotonic()
        while busy := [worker for worker in self._workers if worker.process.poll() is None]:
            assert time.monotonic() - begun < patience, f"{len(busy)} workers are not through"
            time.sleep(self._every)
            if len(self.kills) < self._most:
                self._strike()
            for worker in busy:
                self.memory[worker.pid].append(resident(worker.pid))

    def _strike(self) -> None:
        if at_work := sorted(self._at_work()):
            victim = self._lots.choice(at_work)
            with suppress(ProcessLookupError):  # its worker has just let it go
                os.kill(victim, signal.SIGKILL)
                self.kills.append(Kill(victim, time.monotonic()))

    def _at_work(self) -> set[int]:
        """The children that wrote the last lines."""
        children: set[int] = set()
        for worker in self._workers:
            with suppress(OSError):
                children |= set(worker.children())
        with self._ledger.open("rb") as ledger:
            ledger.seek(max(self._ledger.stat().st_size - TAIL, 0))
            whole, _, _ = ledger.read().rpartition(b"\n")  # the last line may be in the middle of being written
        return children & {json.loads(line)["pid"] for line in whole.splitlines()[1:]}


def unacknowledged(events: Events, kills: Iterable[Kill]) -> set[str]:
    """The jobs whose effect was the last thing that a killed process did, and which then were started again."""
    by_process: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    starts: dict[str, list[float]] = defaultdict(list)
    for event in events:
        by_process[event["pid"]].append(event)
        if event["ev"] == "start":
            starts[event["key"]].append(event["t"])
    last = (_last(by_process[kill.pid], kill.at + DYING) for kill in kills)
    return {
        event["key"] for event in last if event and event["ev"] == "done" and max(starts[event["key"]]) > event["t"]
    }


def _last(events: Events, until: float) -> Mapping[str, Any] | None:
    """The last words of a process: a later one may have got its number."""
    return next((event for event in reversed(events) if event["t"] <= until), None)


def speechless(found: Findings, events: Events, output: Iterable[str]) -> set[str]:
    """The jobs of which an attempt wrote nothing, because its process was killed as its code began.

    *output* are the lines of workers with `--json`: each of these deaths is told there.
    """
    uuids = {event["key"]: event["uuid"] for event in events if event["ev"] == "start"}
    died = {(line["uuid"], line["attempts"]) for line in map(json.loads, filter(_tells_of_death, output))}
    return {
        key
        for key, numbers in found.miscounted.items()
        if len(numbers) == len(set(numbers))
        and all((uuids[key], number) in died for number in set(range(1, max(numbers))) - set(numbers))
    }


def _tells_of_death(line: str) -> bool:
    return '"queuectl.errors.WorkerDied"' in line
