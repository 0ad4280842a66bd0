"""A course of events by lot: who moves, what breaks, how time passes. The same seed gives the same course."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver
from queuectl.failing import each
from tests.faults.rig.checker import Findings
from tests.faults.simulation import actors
from tests.faults.simulation.book import Book, Execution
from tests.faults.simulation.line import Crash, Line, Trouble
from tests.faults.simulation.truth import Truth

TROUBLES = {Trouble.REFUSED: 4, Trouble.UNCONFIRMED: 4, Trouble.KILLED_BEFORE: 2, Trouble.KILLED_AFTER: 2}
"""Of a hundred calls."""
PAUSES = (0, 1, 1, 2, 5, 5, 11, 31)
FREEZES = (10, 40)
DEEPEST = 3
"""Actors that may be in the middle of a call at once."""
ROUNDS_TO_REST = 200


@dataclass(frozen=True)
class Stores:
    """Where it happens: a driver for each worker, and one for everybody else of each store."""

    workers: Sequence[Driver]
    main: Driver
    outbox: Driver
    far: Driver
    """Collects failed jobs."""

    def empty(self) -> None:
        """Take away what a course that broke off has left."""
        for driver in (self.main, self.outbox, self.far):
            for queue in driver.counts():
                driver.clear(queue)
            driver.failed.flush()


@dataclass
class Actor:
    """Somebody who moves in steps, and is replaced when dead."""

    begin: Callable[[], actors.Steps]
    steps: actors.Steps = field(init=False)
    moving: bool = False
    deleting: bool = False
    """What it takes away is meant to be gone."""
    frozen_until: float = 0.0
    executions: list[Execution] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = self.begin()

    def die(self) -> None:
        for execution in self.executions:
            execution.excused = True
        self.executions = []
        self.steps = self.begin()


LAST_ROUNDS = 6
"""In which a worker comes to its next exchange: what it still has to say of a job that an operator deleted is heard."""


class World:
    """One course of events."""

    def __init__(self, seed: int, stores: Stores, clock: FakeClock) -> None:
        self._lots = random.Random(seed)
        self._stores, self.clock = stores, clock
        self.book = Book(self._lots, clock, stores.main.name)
        self.main = Truth(clock, stores.main.retry_after, settled=self.book.settled, deleted=self._deleted)
        self.outbox = Truth(clock, stores.outbox.retry_after)
        self.far = Truth(clock, stores.far.retry_after, deleted=self._deleted)
        self._moving: list[Actor] = []
        """Who is in the middle of a call, the innermost last."""
        self._workers = [Actor(partial(actors.worker, self, Line(one, self.main, self))) for one in stores.workers]
        self._actors = [*self._workers, *self._others()]

    def _others(self) -> Iterator[Actor]:
        main, outbox = Line(self._stores.main, self.main, self), Line(self._stores.outbox, self.outbox, self)
        far = Line(self._stores.far, self.far, self)
        yield Actor(partial(actors.producer, self, main, outbox))
        yield Actor(partial(actors.outbox_relay, self, main, outbox))
        yield Actor(partial(actors.failed_relay, self, main, far))
        yield Actor(partial(actors.operator, self, main, far))
        self._retry_all = partial(actors.retry_all, self, main, far)

    # The course

    def run(self, turns: int) -> Findings:
        """So many turns; then all that was accepted must come to its end, and what has failed be retried."""
        for _ in range(turns):
            self._turn()
        self._come_to_rest()
        assert sorted(job.uuid for job in each(self._stores.far.failed)) == sorted(self.far.failed)
        self._retry_all()
        self._come_to_rest()
        for driver in (self._stores.main, self._stores.outbox, self._stores.far):
            assert {name: counts.size for name, counts in driver.counts().items() if counts.size} == {}
            assert driver.failed.count() == 0
        return self.book.judge()

    def _turn(self) -> None:
        lot = self._lots.random()
        if lot < 0.15:
            self.clock.sleep(self._lots.choice(PAUSES))
        elif lot < 0.17:
            self._pick(self._workers).frozen_until = self.clock.now() + self._lots.choice(FREEZES)
        elif lot < 0.19:
            self._pick(self._actors).die()
        else:
            self._move(self._pick(self._actors))

    def _move(self, actor: Actor) -> None:
        if actor.moving or actor.frozen_until > self.clock.now():
            return
        actor.moving = True
        self._moving.append(actor)
        try:
            next(actor.steps, None)
        except Crash:
            actor.die()
        finally:
            self._moving.pop()
            actor.moving = False

    def _come_to_rest(self) -> None:
        """Nothing goes wrong any more."""
        self.book.calm = True
        quiet = 0
        for _ in range(ROUNDS_TO_REST):
            for actor in self._actors:
                actor.frozen_until = 0.0
                self._move(actor)
            self.clock.sleep(7)
            quiet = 0 if self.main.jobs or self.main.failed or self.outbox.jobs else quiet + 1
            if quiet > LAST_ROUNDS:
                return
        raise AssertionError(f"never at rest: {self.main.jobs}, {self.main.failed}, {self.outbox.jobs}")

    def _pick(self, those: Sequence[Actor]) -> Actor:
        return self._lots.choice(those)

    # What lines ask

    def trouble(self) -> Trouble:
        lot = self._lots.randrange(100)
        for trouble, chance in TROUBLES.items():
            lot -= chance
            if lot < 0 and not self.book.calm:
                return trouble
        return Trouble.NONE

    def meanwhile(self) -> None:
        if not self.book.calm and len(self._moving) < DEEPEST and self.book.chance(0.15):
            self._move(self._pick(self._actors))

    def look(self) -> None:
        lost = {uuid for uuid in self.book.acknowledged - self.book.over if not self._is_somewhere(uuid)}
        assert not lost, f"nowhere: {lost}"

    def _is_somewhere(self, uuid: str) -> bool:
        return self.main.holds(uuid) or self.outbox.holds(uuid) or self.far.holds(uuid)

    # What actors ask

    def mine(self, execution: Execution) -> Execution:
        """Whoever moves now would take this with it."""
        self._moving[-1].executions.append(execution)
        return execution

    def lose(self, execution: Execution) -> None:
        """A worker was told that a job is not its own any more."""
        assert not self.main.is_current(execution.reserved), f"{execution.uuid} was taken from its living worker"
        execution.excused = True

    @contextmanager
    def deleting(self) -> Iterator[None]:
        """What whoever moves now deletes is meant to be gone."""
        actor = self._moving[-1]
        actor.deleting = True
        try:
            yield
        finally:
            actor.deleting = False

    def _deleted(self, uuid: str) -> None:
        if self._moving and self._moving[-1].deleting:
            self.book.over.add(uuid)
