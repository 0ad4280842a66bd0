"""What was pushed, and what became of it: jobs by lot, their starts and effects, and the judgement in the end."""

from __future__ import annotations

import random
import uuid as uuids
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from queuectl.clock import Clock
from queuectl.drivers.contract import Reserved
from queuectl.jobs.outcome import Done, Entry, Failed, FailedRecord, Outcome, Parked, Problem, Release
from queuectl.jobs.payload import encode, identity
from tests.faults.rig.checker import Findings, History, check

QUEUES = ("high", "low")
DELAYS = (0, 0, 0, 1, 5)
WHY = Problem("builtins.ValueError", "no use", "Traceback …")


@dataclass
class Execution:
    """One start of a job."""

    reserved: Reserved
    effect: bool = False
    settled: bool = False
    """Its outcome is in the store."""
    excused: bool = False
    """Its process died, or another may have had the job: its effect may be there twice."""

    @property
    def uuid(self) -> str:
        return identity(self.reserved.payload)[0]


class Book:
    """Of one course. A job is good, and has an effect once it is done, or fails until an operator repairs it."""

    def __init__(self, lots: random.Random, clock: Clock, connection: str) -> None:
        self._lots, self._clock, self._connection = lots, clock, connection
        self._attempted: set[str] = set()
        self._good: set[str] = set()
        self._events: list[dict[str, Any]] = []
        self._executions: dict[Any, Execution] = {}
        """By token."""
        self.acknowledged: set[str] = set()
        self.over: set[str] = set()
        """Done, or deleted by an operator."""
        self.calm = False
        """From now on every run comes to its end."""

    def chance(self, share: float) -> bool:
        return self._lots.random() < share

    # The way in

    def entries(self) -> list[Entry]:
        """Some new jobs."""
        entries = [self._entry() for _ in range(self._lots.choice((1, 1, 3)))]
        self._attempted |= {entry.uuid for entry in entries}
        return entries

    def acknowledge(self, entries: Iterable[Entry]) -> None:
        self.acknowledged |= {entry.uuid for entry in entries}

    def _entry(self) -> Entry:
        uuid = str(uuids.UUID(int=self._lots.getrandbits(128), version=4))
        if self.chance(0.7):
            self._good.add(uuid)
        payload = encode(job="Simulated", arguments="{}", uuid=uuid, created_at=self._clock.now())
        return Entry(self._lots.choice(QUEUES), payload, uuid, delay=self._lots.choice(DELAYS))

    # Runs

    def start(self, reserved: Reserved) -> Execution:
        execution = self._executions[reserved.token] = Execution(reserved)
        self._events.append({"ev": "start", "key": execution.uuid, "attempt": reserved.attempts})
        return execution

    def end(self, execution: Execution) -> Outcome | None:
        """What becomes of a run; None: it goes on."""
        if not self.calm and self.chance(0.4):
            return None
        if self.calm or self.chance(0.7):
            return self._finish(execution)
        pause = self._lots.choice(DELAYS)
        outcomes = (Release(pause), Release(pause), Release(pause, spared=True), Parked("unknown", pause), None)
        return self._lots.choice(outcomes) or self._finish(execution, then=self.entries())

    def _finish(self, execution: Execution, then: Sequence[Entry] = ()) -> Outcome:
        if execution.uuid not in self._good:
            return Failed(self._record(execution.reserved))
        execution.effect = True
        self._events.append({"ev": "done", "key": execution.uuid})
        return Done(then=tuple(then))

    def _record(self, reserved: Reserved) -> FailedRecord:
        uuid, name = identity(reserved.payload)
        where, now = (self._connection, reserved.queue), self._clock.now()
        return FailedRecord(uuid, *where, reserved.payload, name, reserved.attempts, WHY, now)

    # What others tell

    def repair(self, uuids: Iterable[str]) -> None:
        """From now on these do not fail any more."""
        self._good |= {*uuids}

    def settled(self, token: Any, uuid: str, outcome: Outcome) -> None:
        """An outcome has taken effect."""
        if token in self._executions:
            self._executions[token].settled = True
        if isinstance(outcome, Done):
            self.over.add(uuid)
            self.acknowledge(outcome.then)

    def judge(self) -> Findings:
        """At rest, with nothing left anywhere. An effect may be there twice only where its run has an excuse."""
        for execution in self._executions.values():
            assert execution.settled or execution.excused or not execution.effect, f"{execution} came to nothing"
        effects = Counter(execution.uuid for execution in self._executions.values() if execution.effect)
        deleted = self.over - effects.keys()
        return check(
            History(self._attempted, self.acknowledged - deleted, self._events, {}),
            doubled={uuid for uuid, count in effects.items() if count > 1},
            recounted=self._attempted,  # the stores' truths have looked at each number
        )
