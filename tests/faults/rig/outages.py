"""A store that is away for a while, and what its workers do meanwhile: nothing, cheaply, and they say so once."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from queuectl.testing.server import Server
from queuectl.testing.wires import Trouble, Wire
from tests.acceptance.project import Worker, until
from tests.faults.rig.arena import Arena

LASTS = 2.5
"""Seconds: longer than the leases of those who suffer it."""
IDLE_SHARE = 0.25
"""Of a processor: far more than an idle worker's, far less than that of one that asks in a loop."""
LOST, BACK = "trying again", "is there again"


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Connections stay open, and nothing answers."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextmanager
def killed(server: Server) -> Iterator[None]:
    """With everything that had not reached the disk."""
    server.kill()
    yield
    server.start()


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """As an operator does it."""
    server.stop()
    yield
    server.start()


@contextmanager
def spoiled(wire: Wire, trouble: Trouble) -> Iterator[None]:
    """The server is well, and its wire is not."""
    wire.spoil(trouble)
    yield
    wire.mend()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program holds the lock of an SQLite file."""
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


def sit_out(
    arena: Arena,
    workers: Sequence[Worker],
    trouble: AbstractContextManager[None],
    meanwhile: Callable[[], object] = lambda: None,
    *,
    lasts: float = LASTS,
) -> None:
    """Let these workers live through *trouble*: patiently, not starting anything, and told once each way."""
    told = [worker.output().count(LOST) for worker in workers]
    with trouble:
        until(lambda: all(_told(worker, LOST, before) for worker, before in zip(workers, told, strict=True)), "a word")
        starts, spent, begun = _starts(arena), sum(map(cpu_seconds, workers)), time.monotonic()
        meanwhile()
        time.sleep(max(begun + lasts - time.monotonic(), 0.0))
        assert _starts(arena) == starts, "jobs were started while nothing could be settled"
        share = (sum(map(cpu_seconds, workers)) - spent) / (time.monotonic() - begun) / len(workers)
        assert share < IDLE_SHARE, f"a worker without a store used {share:.0%} of a processor"
    until(lambda: all(_told(worker, BACK, before) for worker, before in zip(workers, told, strict=True)), "a return")
    assert [worker.output().count(LOST) for worker in workers] == [before + 1 for before in told]
    assert all(worker.process.poll() is None for worker in workers)


def cpu_seconds(worker: Worker) -> float:
    """What the parent has used so far."""
    words = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _told(worker: Worker, word: str, before: int) -> bool:
    return worker.output().count(word) > before


def _starts(arena: Arena) -> int:
    return sum(event["ev"] == "start" for event in arena.project.events())
