"""Does mischief to workers, servers and wires, one after the other, in an order that its seed decides.

Each kind of mischief is a card; the pack is shuffled, dealt to its last card, and shuffled again: so every kind
strikes, and about as often as the others.
"""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import monotonic

from queuectl.testing.server import Server
from queuectl.testing.wires import LostReply, LostRequest
from tests.acceptance.project import Worker, until
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.fleet import Fleet, children_of, freeze, send, thaw
from tests.faults.rig.lines import Line
from tests.faults.rig.outages import frozen, killed, locked, stopped
from tests.faults.rig.sessions import cut_sessions

SCRAP = "scrap"
"""A queue that is filled and cleared, and that nobody works."""
RECENT = 8_192
"""Characters."""
MEMORY = 2.0
"""Seconds of work that a PostgreSQL may forget that is killed: what it had been told that it need not keep at once."""


@dataclass(frozen=True)
class Ground:
    """What the gremlin can lay its hands on."""

    arena: Arena
    fleet: Fleet
    lease: float
    store: str
    server: Server | None = None
    line: Line | None = None


@dataclass(frozen=True)
class Harm:
    """What a mischief may have led to, apart from delay."""

    pids: frozenset[int] = frozenset()
    """Children whose running jobs may be done a second time."""
    memory: float = 0.0
    """For so many seconds before it began, too."""
    losses: int = 0
    """Reservations of which nobody may have heard: their jobs have an attempt more, or less, than starts."""


@dataclass(frozen=True)
class Mischief:
    """One that was done."""

    kind: str
    begun: float
    over: float
    harm: Harm


Deed = Callable[[Ground, random.Random], Harm]


class Gremlin:
    """Whoever calls `strike` lets something happen."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self._ground = ground
        self._lots = random.Random(seed)
        self._pack = self._deal()
        self.done: list[Mischief] = []

    def strike(self) -> Mischief:
        """The next mischief; it is over when this returns."""
        kind = next(self._pack)
        begun = monotonic()
        harm = DEEDS[kind](self._ground, self._lots)
        self.done.append(Mischief(kind, begun, monotonic(), harm))
        return self.done[-1]

    def pause(self, shortest: float, longest: float) -> None:
        """Let them recover, a little."""
        time.sleep(self._lots.uniform(shortest, longest))

    def _deal(self) -> Iterator[str]:
        kinds = [kind for kind in DEEDS if kind in EVERYWHERE or (self._ground.server is None) == (kind in FILE_ONLY)]
        while True:
            self._lots.shuffle(kinds)
            yield from kinds


# To workers


def kill_a_child(ground: Ground, lots: random.Random) -> Harm:
    children = until(ground.fleet.children, "a child")
    child = lots.choice(sorted(children & _busy(ground) or children))
    send([child], signal.SIGKILL)
    return Harm(frozenset({child}))


def kill_a_worker(ground: Ground, lots: random.Random) -> Harm:
    """Its children die with it."""
    worker = _busy_one(ground, lots, ground.fleet.young)
    children = freeze(worker)
    worker.signal(signal.SIGKILL)
    worker.ends()
    ground.fleet.replace(worker)
    return Harm(frozenset(children), losses=len(children))


def freeze_a_worker(ground: Ground, lots: random.Random) -> Harm:
    """For longer than its leases: others do its jobs, and it hears of that when it wakes."""
    worker = _busy_one(ground, lots, ground.fleet.workers)
    everybody = ground.fleet.children()
    children = freeze(worker)
    time.sleep(ground.lease + lots.uniform(0.5, 1.5))
    thaw(worker, children)
    pids = everybody if ground.server is None else children  # it may have frozen with the lock of SQLite's file
    return Harm(frozenset(pids), losses=len(pids))


def replace_a_worker(ground: Ground, lots: random.Random) -> Harm:
    """As a deployment does: it finishes its jobs, and harms nobody."""
    worker = lots.choice(ground.fleet.young)
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0, worker.output()[-3000:]
    ground.fleet.replace(worker)
    return Harm()


def _busy_one(ground: Ground, lots: random.Random, workers: Sequence[Worker]) -> Worker:
    """One of those that have most to lose at this moment."""
    busy = _busy(ground)
    return lots.choice([worker for worker in workers if busy & set(children_of(worker))] or list(workers))


def _busy(ground: Ground) -> set[int]:
    """Processes in the middle of a job, by the latest lines of the ledger."""
    lines = ground.arena.project.ledger.read_text().rpartition("\n")[0][-RECENT:].splitlines()[1:]
    latest = {event["pid"]: event["ev"] for event in map(json.loads, lines)}
    return {pid for pid, ev in latest.items() if ev == "start"}


# To servers


def freeze_the_server(ground: Ground, lots: random.Random) -> Harm:
    assert ground.server is not None
    pids = ground.fleet.children()
    with frozen(ground.server):
        time.sleep(lots.uniform(0.5, 1.5 * ground.lease))
    return _outage(pids)


def kill_the_server(ground: Ground, lots: random.Random) -> Harm:
    assert ground.server is not None
    pids = ground.fleet.children()
    with killed(ground.server):
        time.sleep(lots.uniform(0.1, ground.lease))
    return _outage(pids, MEMORY if ground.store == "postgres" else 0.0)


def restart_the_server(ground: Ground, lots: random.Random) -> Harm:
    assert ground.server is not None
    pids = ground.fleet.children()
    with stopped(ground.server):
        time.sleep(lots.uniform(0.1, 1.0))
    return _outage(pids)


def lock_the_file(ground: Ground, lots: random.Random) -> Harm:
    pids = ground.fleet.children()
    with locked(ground.arena.project.folder / "storage/queue.sqlite"):
        time.sleep(lots.uniform(0.5, 1.5 * ground.lease))
    return _outage(pids)


def _outage(pids: set[int], memory: float = 0.0) -> Harm:
    """Leases that end meanwhile are swept when the store is back, by whoever is first."""
    return Harm(frozenset(pids), memory, losses=len(pids))


# To connections


def cut_all_connections(ground: Ground, _: random.Random) -> Harm:
    """By the server's own hand."""
    assert ground.server is not None
    cut_sessions(ground.server)
    return Harm(losses=len(ground.fleet.children()))


def lose_a_reply(ground: Ground, lots: random.Random) -> Harm:
    return _lose(ground, LostReply(lots.randint(1, 10)))


def lose_a_request(ground: Ground, lots: random.Random) -> Harm:
    return _lose(ground, LostRequest(lots.randint(0, 2000)))


def _lose(ground: Ground, trouble: LostReply | LostRequest) -> Harm:
    assert ground.line is not None
    ground.line.wire.spoil(trouble)
    until(lambda: trouble.struck, "something to be said")
    ground.line.wire.mend()
    return Harm(losses=len(ground.fleet.children()) // len(ground.fleet.workers))


# To the data


def contend(ground: Ground, _: random.Random) -> Harm:
    """An operator retries whatever has failed, fills another queue and clears it."""
    project = ground.arena.project
    project.cli("retry", "all")
    with closing(ground.arena.app()) as app:
        app.driver(project.connection).push([job("scrap", queue=SCRAP) for _ in range(100)])
    project.cli("clear", project.connection, f"--queue={SCRAP}", "--force")
    return Harm()


EVERYWHERE: dict[str, Deed] = {
    "child killed": kill_a_child,
    "worker killed": kill_a_worker,
    "worker frozen": freeze_a_worker,
    "worker replaced": replace_a_worker,
    "retry all, clear": contend,
}
FILE_ONLY: dict[str, Deed] = {"file locked": lock_the_file}
SERVER_ONLY: dict[str, Deed] = {
    "server frozen": freeze_the_server,
    "server killed": kill_the_server,
    "server restarted": restart_the_server,
    "connections cut": cut_all_connections,
    "reply lost": lose_a_reply,
    "request lost": lose_a_request,
}
DEEDS = EVERYWHERE | FILE_ONLY | SERVER_ONLY
