"""What stands in the rows of `top`, and which of them want to be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from queuectl.commands.seen import Seen
from queuectl.commands.times import brief, short
from queuectl.commands.top_history import History
from queuectl.commands.top_look import since
from queuectl.drivers.control import Beat
from queuectl.failing import Located
from queuectl.jobs.masking import mask

NOTHING = "-"
LONG_WAIT = 60.0
LATE = 12.0
"""Seconds after which a sign of life is late: two of them did not come."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and how it is to be seen: `warn`, `bad`, or nothing."""

    cells: tuple[str, ...]
    mood: str = ""


def queue_row(queue: Seen, history: History, *, alone: bool) -> Row:
    """*alone*: there is one connection only, which need not be named."""
    counts, rate = queue.counts, history.rate(queue.key)
    name = queue.queue if alone else f"{queue.connection}:{queue.queue}"
    cells = (
        f"{name} (paused)" if queue.pause else name,
        f"{counts.pending:,}",
        f"{counts.delayed:,}",
        f"{counts.reserved:,}",
        NOTHING if queue.waited is None else brief(queue.waited),
        str(queue.workers),
        NOTHING if rate is None else per_second(rate),
    )
    return Row(cells, _mood(queue))


def _mood(queue: Seen) -> str:
    if queue.pause:
        return "warn"
    if queue.counts.pending and not queue.workers:
        return "bad"
    return "warn" if queue.waited is not None and queue.waited >= LONG_WAIT else ""


def worker_row(beat: Beat, now: float) -> Row:
    late = now - beat.at
    cells = (
        f"{beat.name}@{beat.host}:{beat.pid}",
        ",".join(beat.queues),
        brief(now - beat.since),
        f"{beat.processed:,}",
        f"no sign of life for {brief(late)}" if late >= LATE else _doing(beat, now),
    )
    return Row(cells, "bad" if late >= LATE else "")


def _doing(beat: Beat, now: float) -> str:
    """The job that has run longest, and how many others there are."""
    if not beat.running:
        return "idle"
    jobs: list[Mapping[str, Any]] = sorted(beat.running, key=since)
    more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    said = jobs[0].get("progress")
    progress = f" {said.fraction:.0%} {mask(said.text)}".rstrip() if said else ""
    return f"{jobs[0].get('job') or '?'} {brief(now - since(jobs[0]))}{progress}{more}"


def failure_row(found: Located, *, alone: bool) -> Row:
    job = found.job
    queue = job.queue if alone else f"{job.connection}:{job.queue}"
    error = f"{job.error.rpartition('.')[2]}: {mask(job.message)}"
    return Row((short(job.failed_at), queue, job.job or "?", error))


def per_second(rate: float) -> str:
    """With as many digits as mean something."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
