"""Queues as they are now: how full, how long the oldest job has waited, and who serves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from queuectl.commands.times import iso
from queuectl.drivers.contract import Counts, Driver
from queuectl.drivers.control import Beat, Pause

Key = tuple[str, str]
"""A connection and one of its queues."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One queue as it is now."""

    connection: str
    queue: str
    counts: Counts
    workers: int
    pause: Pause | None
    waited: float | None
    """Seconds that the oldest ready job has been waiting."""

    @property
    def key(self) -> Key:
        return self.connection, self.queue


def every_queue(driver: Driver, now: Callable[[], float]) -> Iterator[Seen]:
    """Every queue that holds a job or has a worker."""
    counts, beats = driver.counts(), driver.control.beats()  # once: to count a million jobs takes its time
    return look_at(driver, names(counts, beats), counts, beats, now)


def names(counts: Iterable[str], beats: Iterable[Beat]) -> list[str]:
    return sorted({*counts, *(queue for beat in beats for queue in beat.queues)})


def look_at(
    driver: Driver,
    queues: Iterable[str],
    counts: Mapping[str, Counts],
    beats: Sequence[Beat],
    now: Callable[[], float],
) -> Iterator[Seen]:
    """These queues of one connection, with what was found out of them."""
    marks = driver.control.marks()
    for queue in queues:
        found = counts.get(queue, Counts())
        yield Seen(
            connection=driver.name,
            queue=queue,
            counts=found,
            workers=sum(queue in beat.queues for beat in beats),
            pause=marks.pause_of(queue),
            waited=None if found.oldest is None else max(now() - found.oldest, 0.0),
        )


def to_json(found: Seen, *, alert: bool) -> dict[str, Any]:
    """Artisan's keys first, then ours."""
    counts = found.counts
    return {
        "connection": found.connection,
        "queue": found.queue,
        "size": counts.size,
        "pending": counts.pending,
        "delayed": counts.delayed,
        "reserved": counts.reserved,
        "oldest_pending": None if counts.oldest is None else int(counts.oldest),
        "status": "ALERT" if alert else "OK",
        "oldest_pending_at": None if counts.oldest is None else iso(counts.oldest),
        "oldest_wait": None if found.waited is None else round(found.waited, 3),
        "workers": found.workers,
        "paused": found.pause is not None,
        "paused_reason": found.pause.reason if found.pause else None,
        "paused_by": (found.pause.by or None) if found.pause else None,
        "paused_until_at": iso(found.pause.until) if found.pause and found.pause.until is not None else None,
    }
