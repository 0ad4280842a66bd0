"""What `top` sees at one moment: queues, workers, counters and the newest failures of every connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from queuectl.commands.failed_rows import to_json as failure_to_json
from queuectl.commands.filters import Filter
from queuectl.commands.reach import gather, raise_first
from queuectl.commands.seen import Key, Seen, look_at, names
from queuectl.commands.seen import to_json as queue_to_json
from queuectl.commands.session import Session
from queuectl.commands.times import iso
from queuectl.drivers.contract import Driver
from queuectl.drivers.control import EVERY_QUEUE, Beat
from queuectl.errors import QueuectlError
from queuectl.failing import Located
from queuectl.jobs.masking import mask

RECENT = 10
"""Failures that are shown."""
FULL = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at."""

    connections: Sequence[str]
    filters: Filter

    def of(self, connection: str) -> Callable[[str], bool]:
        """Says of a queue of this connection whether it is looked at."""
        return partial(self.filters.matches_queue, connection)


@dataclass(frozen=True, slots=True)
class Found:
    """What one connection answered."""

    queues: list[Seen]
    beats: list[Beat]
    counters: Mapping[str, int]
    failures: list[Located]
    failed: int


@dataclass(frozen=True, slots=True)
class Look:
    """Everything at one moment."""

    at: float
    queues: list[Seen]
    workers: list[tuple[str, Beat]]
    """With the connection that each serves."""
    failures: list[Located]
    """The newest ones, newest first."""
    failed: int
    """How many there are in all."""
    counters: Mapping[Key, int] = field(default_factory=dict)
    """How many jobs ended how: by connection and `done:QUEUE`, since the store was made."""
    lost: Mapping[str, QueuectlError] = field(default_factory=dict)

    def counted(self, outcome: str, key: Key | None = None) -> int:
        """How many jobs ended so, of one queue or of all."""
        if key is not None:
            return self.counters.get((key[0], f"{outcome}:{key[1]}"), 0)
        return sum(count for (_, name), count in self.counters.items() if name.startswith(f"{outcome}:"))

    def to_json(self) -> dict[str, Any]:
        return {
            "at": iso(self.at),
            "queues": [self._queue_to_json(queue) for queue in self.queues],
            "workers": [worker_to_json(connection, beat) for connection, beat in self.workers],
            "failed": {"count": self.failed, "recent": [failure_to_json(found) for found in self.failures]},
            "lost": {name: mask(str(error)) for name, error in self.lost.items()},
        }

    def _queue_to_json(self, queue: Seen) -> dict[str, Any]:
        totals = {f"{outcome}_total": self.counted(outcome, queue.key) for outcome in ("done", "failed")}
        return {**queue_to_json(queue, alert=queue.counts.size >= FULL), **totals}


def worker_to_json(connection: str, beat: Beat) -> dict[str, Any]:
    return {
        "connection": connection,
        "worker": beat.worker,
        "name": beat.name,
        "host": beat.host,
        "pid": beat.pid,
        "queues": list(beat.queues),
        "version": beat.version,
        "processes": beat.children,
        "processed": beat.processed,
        "since_at": iso(beat.since),
        "beat_at": iso(beat.at),
        "running": [_running_to_json(running) for running in beat.running],
    }


def _running_to_json(running: Mapping[str, Any]) -> dict[str, Any]:
    said = running.get("progress")
    progress = None if said is None else {"fraction": said.fraction, "text": mask(said.text)}
    named = {key: running.get(key) for key in ("job", "uuid", "queue")}
    return {**named, "since_at": iso(running["since"]), "progress": progress}


def take(session: Session, wanted: Wanted, before: Look | None = None) -> Look:
    """Look at everything. A connection that does not answer is told among the `lost`, and its counters are those of
    *before*; only a first look at which none answers raises."""
    now = session.app.clock.now
    answers = gather(session, wanted.connections, lambda name, driver: _found(driver, wanted.of(name), now))
    if not answers.given and before is None:
        raise_first((*answers.lost.values(), *answers.bare.values()))
    given = answers.given.values()
    return Look(
        at=now(),
        queues=[queue for found in given for queue in found.queues],
        workers=[(name, beat) for name, found in answers.given.items() for beat in found.beats],
        failures=_newest([failure for found in given for failure in found.failures]),
        failed=sum(found.failed for found in given),
        counters={**_kept(before, answers.lost), **_counters(answers.given)},
        lost=answers.lost,
    )


def _found(driver: Driver, is_wanted: Callable[[str], bool], now: Callable[[], float]) -> Found:
    counts, beats, marks = driver.counts(), driver.control.beats(), driver.control.marks()
    queues = filter(is_wanted, names({*counts, *marks.paused} - {EVERY_QUEUE}, beats))
    serving = (beat for beat in beats if any(map(is_wanted, beat.queues)))
    counters = driver.control.counters().items()
    return Found(
        queues=list(look_at(driver, queues, counts, beats, now)),
        beats=[
            _with_progress(driver, beat) for beat in sorted(serving, key=lambda beat: (beat.host, beat.since, beat.pid))
        ],
        counters={name: count for name, count in counters if is_wanted(_queue_of(name))},
        failures=[Located(driver.name, job) for job in driver.failed.page(limit=RECENT).items],
        failed=driver.failed.count(),
    )


def _with_progress(driver: Driver, beat: Beat) -> Beat:
    """What the job that has run longest says of itself: the one that is shown."""
    if not beat.running:
        return beat
    first, *others = sorted(beat.running, key=since)
    said = driver.control.progress(str(first.get("uuid")))
    return replace(beat, running=({**first, "progress": said}, *others)) if said else beat


def since(running: Mapping[str, Any]) -> float:
    """When a running job began, as its worker's beat has it."""
    found = running.get("since")
    return float(found) if isinstance(found, (int, float)) else 0.0


def _queue_of(counter: str) -> str:
    return counter.partition(":")[2]


def _newest(failures: Sequence[Located]) -> list[Located]:
    """Of two rows of one job, on its way to the collecting store, one."""
    by_uuid = {found.job.uuid: found for found in failures}
    return sorted(by_uuid.values(), key=lambda found: found.job.failed_at, reverse=True)[:RECENT]


def _counters(given: Mapping[str, Found]) -> dict[Key, int]:
    return {(name, counter): count for name, found in given.items() for counter, count in found.counters.items()}


def _kept(before: Look | None, lost: Mapping[str, QueuectlError]) -> dict[Key, int]:
    return {} if before is None else {key: count for key, count in before.counters.items() if key[0] in lost}
