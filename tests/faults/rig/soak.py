"""A system under load to which something happens every few seconds, and what must be true of it at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from queuectl.testing.server import Server
from tests.acceptance.project import until
from tests.faults.rig.arena import Arena
from tests.faults.rig.checker import Findings
from tests.faults.rig.fleet import Fleet
from tests.faults.rig.gauges import Gauges
from tests.faults.rig.gremlin import EVERYWHERE, Gremlin, Ground
from tests.faults.rig.judge import Run, may_double, recoveries, runs
from tests.faults.rig.lines import Line
from tests.faults.rig.outages import LOST
from tests.faults.rig.producer import WISHING, Producer

GROWTH = 1.0
"""Megabytes a minute that a process may seem to grow by, in a soak long enough to tell."""
LONG_ENOUGH = 240.0
"""Seconds."""
SPARE_DESCRIPTORS = 2
PATIENCE = 120.0
Note = Callable[[str, object], None]


@dataclass(frozen=True)
class Plan:
    """How long, and how hard."""

    seconds: float
    pause: tuple[float, float] = (1.0, 3.0)
    """From one mischief to the next."""
    workers: int = 3
    children: int = 2
    rate: float = 30.0
    """Jobs a second."""
    lease: float = 3.0


class Soak:
    """Starts on its own; `run` and then `judge` it, and `close` it in any case."""

    def __init__(
        self,
        arena: Arena,
        store: str,
        plan: Plan,
        seed: int,
        *,
        server: Server | None = None,
        line: Line | None = None,
    ) -> None:
        self._arena, self._store, self._plan = arena, store, plan
        self._fleet = Fleet(arena.project, plan.workers, f"--workers={plan.children}", "--tries=100")
        self._producer = Producer(arena, plan.rate, seed)
        self._gremlin = Gremlin(Ground(arena, self._fleet, plan.lease, store, server, line), seed)
        pids = {"worker": self._fleet.elder.pid, "producer": self._producer.pid}
        self._gauges = Gauges(arena.project, store, **pids)
        self._descriptors: dict[str, str] = {}

    def run(self) -> None:
        """Mischief after mischief; then everything is brought to rest."""
        until(lambda: len(self._arena.done()) > 20, "the first jobs")
        before = self._gauges.descriptors()
        end = monotonic() + self._plan.seconds
        while monotonic() < end:
            self._gremlin.strike()
            self._gremlin.pause(*self._plan.pause)
            self._fleet.assert_alive()
            self._gauges.look()
        self._come_to_rest(before)

    def judge(self, note: Note) -> None:
        """Nothing lost, nothing misplaced, nothing done twice but what the mischief explains; nothing grew."""
        try:
            self._judge(note)
        except AssertionError as error:
            error.add_note("\n".join(map(str, self._gremlin.done)))
            raise

    def _judge(self, note: Note) -> None:
        history = runs(self._arena.project.events())
        found = self._arena.check(may_double=may_double(history, self._gremlin.done), recounted=self._arena.attempted)
        self._note(note, found, history)
        self._assert_few(found)
        self._assert_told()
        self._gauges.assert_bounded()
        self._assert_terse()
        if self._plan.seconds >= LONG_ENOUGH:
            growth = {name: process.growth for name, process in self._gauges.processes.items()}
            assert max(growth.values()) < GROWTH, growth

    def close(self) -> None:
        self._producer.close()

    def _come_to_rest(self, descriptors: dict[str, int]) -> None:
        until(lambda: self._given_back(descriptors), "descriptors to be given back", PATIENCE)
        self._descriptors = {
            name: f"{descriptors[name]}, then {now}" for name, now in self._gauges.descriptors().items()
        }
        self._producer.finish()
        self._arena.await_done({key for key in self._arena.acknowledged if not key.startswith(WISHING)}, PATIENCE)
        until(self._only_failures_lie_about, "the queues to be empty", PATIENCE)
        self._fleet.stop()

    def _given_back(self, before: dict[str, int]) -> bool:
        now = self._gauges.descriptors()
        return all(now[name] <= before[name] + SPARE_DESCRIPTORS for name in before)

    def _only_failures_lie_about(self) -> bool:
        with suppress(AssertionError):  # a job moved while we looked
            return {place for places in self._arena.places().values() for place in places} <= {"failed"}
        return False

    def _assert_few(self, found: Findings) -> None:
        """No mischief can do more harm than there were jobs running; only a store that forgets can."""
        if any(deed.harm.memory for deed in self._gremlin.done):
            return
        assert len(found.doubled) <= sum(len(deed.harm.pids) for deed in self._gremlin.done)
        wrong = [key for key in found.miscounted if not key.startswith(WISHING)]
        assert len(wrong) <= sum(deed.harm.losses for deed in self._gremlin.done), wrong

    def _assert_told(self) -> None:
        """A job that is done again can see it by its attempts, unless the store forgot them."""
        if any(deed.harm.memory for deed in self._gremlin.done):
            return
        done = ((event["key"], event["attempt"]) for event in self._arena.project.events() if event["ev"] == "done")
        alike = [run for run, count in Counter(done).items() if count > 1]
        assert not alike, f"done twice under one number: {alike}"

    def _assert_terse(self) -> None:
        """An outage is a word when it begins and a word when it ends."""
        said = [line for line in self._fleet.elder.output().splitlines() if LOST in line]
        assert len(said) <= sum(deed.kind not in EVERYWHERE for deed in self._gremlin.done), "\n".join(said)

    def _note(self, note: Note, found: Findings, history: list[Run]) -> None:
        note("struck", len(self._gremlin.done))
        note("recovery", recoveries(history, self._gremlin.done))
        note("report", [self._report(found)])

    def _report(self, found: Findings) -> str:
        deeds = Counter(deed.kind for deed in self._gremlin.done)
        grown = "; ".join(
            f"{name} {process.megabytes:.0f} MB ({process.growth:+.2f} a minute), descriptors {self._descriptors[name]}"
            for name, process in self._gauges.processes.items()
        )
        return (
            f"{self._store}: {self._plan.seconds:.0f} s, {deeds.total()} mischiefs, {found.jobs:,} jobs, lost "
            f"{len(found.lost)}, doubled {len(found.doubled)}, uncertain pushes that arrived {len(found.recovered)}; "
            f"{grown}; at most {', '.join(f'{name} {size:,}' for name, size in self._gauges.largest.items())}"
        )
