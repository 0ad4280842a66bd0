"""Have the queues of a connection come to rest? What still runs on them, where, and what waits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from queuectl.drivers.contract import Driver
from queuectl.drivers.control import Beat
from queuectl.jobs.payload import identity

SILENT = 2.0
"""Seconds after which a worker that does not tell of pauses has read them: it looks once a second."""
PAGE = 100


@dataclass(frozen=True, slots=True)
class Run:
    """A job that runs."""

    uuid: str
    job: str
    queue: str
    worker: str = ""
    """`name on host`; empty where no sign of life speaks of it."""
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """How far from rest the queues are, at one look."""

    running: tuple[Run, ...] = ()
    undecided: tuple[str, ...] = ()
    """Workers that may still take a job: they have not said that they know of the pause."""
    pending: int = 0
    delayed: int = 0

    @property
    def is_still(self) -> bool:
        """Nothing runs, and nobody is about to begin something."""
        return not (self.running or self.undecided)


class Look(Protocol):
    """One look at the queues."""

    def __call__(self) -> Rest: ...


class Paused:
    """Looks at queues that have just been paused, all of a connection if none are named."""

    def __init__(self, driver: Driver, queues: Collection[str], *, since: float) -> None:
        """*since*: when they were paused, by the store's clock."""
        self._driver, self._since = driver, since
        self._named = bool(queues)
        self._queues = list(queues)
        self._heard = False

    def __call__(self) -> Rest:
        """Once every worker has said that it takes no more, only what is reserved already can be running."""
        beats, now = self._driver.control.beats(), self._driver.now()
        undecided = () if self._heard else tuple(self._undecided(beats, now))
        if not undecided and not self._heard:
            self._heard = True
            if not self._named:
                self._queues = [name for name, found in self._driver.counts().items() if found.reserved]
        return Rest(tuple(running(self._driver, self._queues or _served(beats), beats, now)), undecided)

    def _undecided(self, beats: Iterable[Beat], now: float) -> Iterator[str]:
        for beat in beats:
            served = set(beat.queues) & set(self._queues) if self._named else set(beat.queues)
            if beat.paused is None:
                waits = bool(served) and now - self._since < SILENT
            else:
                waits = not served <= set(beat.paused)
            if waits:
                yield named(beat)


class Emptying:
    """Looks at queues that workers go on emptying, all of a connection if none are named."""

    def __init__(self, driver: Driver, queues: Collection[str]) -> None:
        self._driver, self._queues = driver, list(queues) or None

    def __call__(self) -> Rest:
        """A job on its way from one queue to another may be missed: only two looks in a row are proof."""
        counts = self._driver.counts(self._queues)
        busy = [name for name, found in counts.items() if found.reserved]
        beats = self._driver.control.beats() if busy else []
        return Rest(
            tuple(running(self._driver, busy, beats, self._driver.now())),
            pending=sum(found.pending for found in counts.values()),
            delayed=sum(found.delayed for found in counts.values()),
        )


def running(driver: Driver, queues: Iterable[str], beats: Iterable[Beat], now: float) -> Iterator[Run]:
    """What is reserved under a lease that holds. What a dead worker left behind runs nowhere."""
    known = {str(run.get("uuid")): (beat, run) for beat in beats for run in beat.running}
    for queue in queues:
        for uuid, job in _reserved(driver, queue, now):
            beat, run = known.get(uuid, (None, {}))
            yield Run(uuid, job, queue, named(beat) if beat else "", _since(run))


def named(beat: Beat) -> str:
    return f"{beat.name} on {beat.host} ({beat.pid})"


def _reserved(driver: Driver, queue: str, now: float) -> Iterator[tuple[str, str]]:
    cursor: str | None = None
    while True:
        page = driver.page(queue, "reserved", cursor=cursor, limit=PAGE)
        yield from (identity(stored.payload) for stored in page.items if stored.at > now)
        cursor = page.cursor
        if cursor is None:
            return


def _served(beats: Iterable[Beat]) -> list[str]:
    return sorted({queue for beat in beats for queue in beat.queues})


def _since(run: Mapping[str, Any]) -> float | None:
    since = run.get("since")
    return float(since) if isinstance(since, int | float) else None
