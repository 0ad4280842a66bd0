"""What decides whether the jobs of one queue run: its pause, its workers, and what stands before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from queuectl.config.schema import QUEUE_NAME
from queuectl.drivers.contract import Counts, Driver, Stored
from queuectl.drivers.control import EVERY_QUEUE, Beat, Cancel, LastSeen, Pause, Progress, PutOff

FARTHEST = 1000
"""Jobs that are counted one by one."""
PAGE = 100


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of one queue, as one connection tells them."""

    connection: str
    queue: str
    now: float
    """By the store's clock, as delays and leases are."""
    counts: Mapping[str, Counts]
    """Of this queue, and of those that its workers serve as well."""
    beats: tuple[Beat, ...]
    """Every living worker of the connection."""
    pause: Pause | None
    paused_with_all: bool
    last: LastSeen | None

    @classmethod
    def of(cls, driver: Driver, queue: str) -> Circumstances:
        beats, marks = driver.control.beats(), driver.control.marks()
        beside = {name for beat in beats if queue in beat.queues for name in beat.queues if QUEUE_NAME.fullmatch(name)}
        return cls(
            connection=driver.name,
            queue=queue,
            now=driver.now(),
            counts=driver.counts(sorted({queue, *beside})),
            beats=tuple(beats),
            pause=marks.pause_of(queue),
            paused_with_all=queue not in marks.paused and EVERY_QUEUE in marks.paused,
            last=driver.control.last_seen().get(queue),
        )

    @property
    def name(self) -> str:
        return f"[{self.connection}:{self.queue}]"

    @property
    def own(self) -> Counts:
        return self.counts.get(self.queue, Counts())

    @property
    def serving(self) -> list[Beat]:
        return [beat for beat in self.beats if self.queue in beat.queues]

    @property
    def before(self) -> dict[str, int]:
        """What waits in queues that each of the workers serves before this one."""
        ranks = [beat.queues[: beat.queues.index(self.queue)] for beat in self.serving]
        first = set(ranks[0]).intersection(*ranks[1:]) if ranks else set()
        return {
            name: self.counts[name].pending for name in sorted(first & self.counts.keys()) if self.counts[name].pending
        }

    def runner_of(self, uuid: str) -> tuple[Beat, float] | None:
        """The worker that says to be running this job, and for how long by its own clock."""
        for beat in self.beats:
            for running in beat.running:
                since = running.get("since")
                if running.get("uuid") == uuid and isinstance(since, (int, float)):
                    return beat, max(beat.at - since, 0.0)
        return None


@dataclass(frozen=True, slots=True)
class Word:
    """What is written in the store of one job."""

    put_off: PutOff | None = None
    cancel: Cancel | None = None
    progress: Progress | None = None

    @classmethod
    def of(cls, driver: Driver, uuid: str) -> Word:
        control = driver.control
        return cls(control.why_put_off(uuid), control.marks().cancelled.get(uuid), control.progress(uuid))


def position(driver: Driver, job: Stored) -> int | None:
    """Its place among the ready jobs of its queue, from 1; None beyond the first thousand, or if it has gone."""
    page, ahead = driver.page(job.queue, "ready", limit=PAGE), 0
    while True:
        for place, stored in enumerate(page.items, ahead + 1):
            if stored.id == job.id:
                return place
        ahead += len(page.items)
        if page.cursor is None or ahead >= FARTHEST:
            return None
        page = driver.page(job.queue, "ready", cursor=page.cursor, limit=PAGE)
