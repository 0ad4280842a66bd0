"""Who uses the stores: workers after the pattern of the real one, and producers, relays and operators around real code.

Each is a generator. It gives up its turn wherever its process may be frozen, or killed between two calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from queuectl.drivers.contract import Reserved, Settlement, Verdict
from queuectl.errors import DriverUnavailable, QueuectlError
from queuectl.failing import FailedJobs, Located, Relay
from queuectl.jobs.outcome import Entry, Outcome, Unique
from queuectl.outbox import Outbox, OutboxRelay, SurePush
from tests.faults.simulation.book import QUEUES, Execution
from tests.faults.simulation.line import Line

if TYPE_CHECKING:
    from tests.faults.simulation.world import World

T = TypeVar("T")
Steps = Iterator[None]
CAPACITY = 3


@dataclass
class Unsettled:
    """An outcome on its way into the store."""

    execution: Execution
    outcome: Outcome


class Worker:
    """Keeps leases, settles and reserves in one exchange, offers again what was not confirmed."""

    def __init__(self, world: World, line: Line) -> None:
        self._world, self._line = world, line
        self._running: list[Execution] = []
        self._unsettled: list[Unsettled] = []
        self._renew_at = 0.0
        self._down = False

    def steps(self) -> Steps:
        while True:
            yield
            if self._must_renew():
                self._renew()
                yield
            reserved = self._exchange()
            yield
            self._running += [self._world.mine(self._world.book.start(one)) for one in reserved]
            yield
            self._end_some()

    def _must_renew(self) -> bool:
        now = self._world.clock.now()
        due = self._down or now >= self._renew_at
        if due:
            self._renew_at = now + self._line.retry_after / 3
        return due

    def _renew(self) -> None:
        held = [*self._running, *(item.execution for item in self._unsettled)]
        lost = self._attempt(lambda: self._line.renew([execution.reserved for execution in held]))
        tokens = {one.token for one in lost or ()}
        for execution in self._running:
            if execution.reserved.token in tokens:
                self._world.lose(execution)

    def _exchange(self) -> list[Reserved]:
        sending = list(self._unsettled)
        settlements = [Settlement(item.execution.reserved, item.outcome) for item in sending]
        room = 0 if self._down else CAPACITY - len(self._running)
        answer = self._attempt(lambda: self._line.exchange(settlements, QUEUES, room))
        if answer is None:
            return []
        for item, verdict in zip(sending, answer[0], strict=True):
            if verdict is Verdict.GONE:  # lost, or, if it was sent before, perhaps applied then
                self._world.lose(item.execution)
        self._unsettled = []
        return answer[1]

    def _end_some(self) -> None:
        for execution in list(self._running):
            outcome = self._world.book.end(execution)
            if outcome is not None:
                self._running.remove(execution)
                self._unsettled.append(Unsettled(execution, outcome))

    def _attempt(self, call: Callable[[], T]) -> T | None:
        try:
            answer = call()
        except DriverUnavailable:
            self._down = True
            return None
        self._down = False
        return answer


def worker(world: World, line: Line) -> Steps:
    return Worker(world, line).steps()


def producer(world: World, main: Line, outbox: Line) -> Steps:
    """Pushes through an outbox, or insists under a key of its own."""
    sure = SurePush(main, Outbox(outbox, main.name))
    while not world.book.calm:
        yield
        entries = world.book.entries()
        if world.book.chance(0.3):
            yield from _insist(world, main, entries)
        else:
            with suppress(QueuectlError):
                sure.push(entries)
                world.book.acknowledge(entries)


def _insist(world: World, main: Line, entries: list[Entry]) -> Steps:
    keyed = [Entry(e.queue, e.payload, e.uuid, e.delay, Unique(f"order:{e.uuid}", 3600)) for e in entries]
    for _ in range(4):
        with suppress(DriverUnavailable):
            main.push(keyed)
            world.book.acknowledge(entries)
            return
        yield


def outbox_relay(world: World, main: Line, outbox: Line) -> Steps:
    relay = OutboxRelay(Outbox(outbox, main.name), main, QUEUES, lambda text: None)
    while True:
        yield
        with suppress(DriverUnavailable):
            relay()


def failed_relay(world: World, main: Line, far: Line) -> Steps:
    relay = Relay(main.failed, far.failed, lambda text: None)
    while True:
        yield
        with suppress(DriverUnavailable):
            relay()


def operator(world: World, main: Line, far: Line) -> Steps:
    """Retries all, deletes some, now and then empties a queue."""
    while not world.book.calm:
        yield
        jobs = _failed_jobs(world, main, far)
        with suppress(DriverUnavailable):
            jobs.collect()
            yield
            some = list(jobs.all())
            if world.book.chance(0.7):
                _retry(world, jobs, some)
            else:
                with world.deleting():
                    _delete(world, jobs, some, main)


def _delete(world: World, jobs: FailedJobs, some: list[Located], main: Line) -> None:
    if world.book.chance(0.5):
        jobs.forget(some[:1])
    elif world.book.chance(0.5):
        jobs.forget(list(jobs.all()))
    else:
        main.clear("low")


def retry_all(world: World, main: Line, far: Line) -> None:
    """What an operator does in the end."""
    jobs = _failed_jobs(world, main, far)
    _retry(world, jobs, list(jobs.all()))


def _retry(world: World, jobs: FailedJobs, some: list[Located]) -> None:
    world.book.repair(located.job.uuid for located in some)
    jobs.retry(some)


def _failed_jobs(world: World, main: Line, far: Line) -> FailedJobs:
    lines = {far.name: far, main.name: main}
    return FailedJobs(lines, owner=lines.get, far=far.name, now=world.clock.now)
