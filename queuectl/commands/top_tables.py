"""The three tables of `top`, and the line above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from queuectl.commands.seen import Key
from queuectl.commands.text import plural
from queuectl.commands.top_history import History
from queuectl.commands.top_look import Look
from queuectl.commands.top_rows import Row, failure_row, per_second, queue_row, worker_row

QUEUES = ("QUEUE", "PENDING", "DELAYED", "RUNNING", "OLDEST", "WORKERS", "DONE/S")
WORKERS = ("WORKER", "QUEUES", "UP", "DONE", "NOW")
FAILURES = ("FAILED AT", "QUEUE", "JOB", "ERROR")


@dataclass(frozen=True, slots=True)
class Table:
    header: Sequence[str]
    rows: Sequence[Row]
    chosen: int | None = None
    numbers: frozenset[int] = frozenset()
    """Columns that stand to the right."""
    empty: str = ""
    """What is said instead of rows."""


def tables(look: Look, history: History, chosen: Key | None = None) -> tuple[Table, Table, Table]:
    """Queues, workers and failures. A connection is named where there are several."""
    alone = len({name for name, _ in (*look.counters, *(queue.key for queue in look.queues))} | look.lost.keys()) < 2
    return _queues(look, history, chosen, alone), _workers(look), _failures(look, alone)


def _queues(look: Look, history: History, chosen: Key | None, alone: bool) -> Table:
    keys = [queue.key for queue in look.queues]
    return Table(
        QUEUES,
        [queue_row(queue, history, alone=alone) for queue in look.queues],
        keys.index(chosen) if chosen in keys else None,
        frozenset(range(1, len(QUEUES))),
        "No queue holds a job.",
    )


def _workers(look: Look) -> Table:
    rows = [worker_row(beat, look.at) for _, beat in look.workers]
    return Table(WORKERS, rows, numbers=frozenset({2, 3}), empty="No worker is alive.")


def _failures(look: Look, alone: bool) -> Table:
    return Table(FAILURES, [failure_row(found, alone=alone) for found in look.failures], empty="Nothing has failed.")


def headline(look: Look, history: History) -> str:
    """Everything in one line."""
    waiting = sum(queue.counts.pending for queue in look.queues)
    running = sum(queue.counts.reserved for queue in look.queues)
    parts = [
        f"{waiting:,} pending",
        f"{running:,} running",
        plural(len(look.workers), "worker"),
        f"{look.failed:,} failed",
    ]
    done, failed = history.total("done"), history.total("failed")
    if done is not None:
        parts.append(f"{per_second(done)} done/s")
    if failed:
        parts.append(f"{per_second(failed)} failed/s")
    return "  ".join(parts)
