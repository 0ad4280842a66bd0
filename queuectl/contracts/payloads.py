"""Hold every payload that lies in a store against this code: would it be run, or refused?

Nothing is run or changed. A job is made of each payload, as a worker's child would make it, and thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from queuectl.drivers.contract import Driver, State
from queuectl.errors import InvalidArguments, MalformedPayload, UnknownJob
from queuectl.jobs.arguments import from_envelope
from queuectl.jobs.payload import Envelope, decode

if TYPE_CHECKING:
    from queuectl.jobs.registry import Registry

STATES: Sequence[State] = ("delayed", "ready", "reserved")
"""In the order in which jobs pass through them: one that moves on meanwhile may be seen twice, but is not missed."""
PAGE = 200
SAMPLES = 3
MOST_REASONS = 200
"""Told apart; what comes after is counted together, so that memory stays small whatever lies in a store."""
REFUSALS = {error.__name__ for error in (MalformedPayload, UnknownJob, InvalidArguments)}
_INDEX = re.compile(r"(?<=\.)\d+(?=[.:])")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payload lies."""

    connection: str
    queue: str
    state: State | Literal["failed"]
    id: str
    """The store's own."""


@dataclass(frozen=True, slots=True)
class Found:
    """A payload."""

    place: Place
    payload: bytes
    error: str = ""
    """The type of what it failed with."""

    @property
    def was_refused(self) -> bool:
        """Did it fail because there was code that would not run it?"""
        return self.error.rpartition(".")[2] in REFUSALS


@dataclass(frozen=True, slots=True)
class Sample:
    """One payload that would not run."""

    uuid: str
    """Empty where the payload names none."""
    place: Place
    message: str


@dataclass
class Trouble:
    """Payloads of one job that would not run, for one reason."""

    job: str
    reason: str
    """Without the values that it was about."""
    count: int = 0
    samples: list[Sample] = field(default_factory=list)


def payloads(driver: Driver, *, queues: Sequence[str] = ()) -> Iterator[Found]:
    """Everything that a store holds, a page at a time; *queues* are patterns, also of `connection:queue`; none: all."""
    for queue in (name for name in sorted(driver.counts()) if _is_meant(driver.name, name, queues)):
        for state in STATES:
            yield from _waiting(driver, queue, state)
    yield from _failed(driver, queues)


def _is_meant(connection: str, queue: str, patterns: Sequence[str]) -> bool:
    names = queue, f"{connection}:{queue}"
    return not patterns or any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _waiting(driver: Driver, queue: str, state: State) -> Iterator[Found]:
    cursor: str | None = ""
    while cursor is not None:
        page = driver.page(queue, state, cursor=cursor or None, limit=PAGE)
        yield from (Found(Place(driver.name, queue, state, stored.id), stored.payload) for stored in page.items)
        cursor = page.cursor


def _failed(driver: Driver, queues: Sequence[str]) -> Iterator[Found]:
    """Those that `retry` could bring back; a PHP application's own are its business."""
    cursor: str | None = ""
    while cursor is not None:
        page = driver.failed.page(cursor=cursor or None, limit=PAGE)
        meant = [job.uuid for job in page.items if not job.foreign and _is_meant(job.connection, job.queue, queues)]
        for job in filter(None, map(driver.failed.get, meant)):
            yield Found(Place(job.connection or driver.name, job.queue, "failed", job.id), job.payload, job.error)
        cursor = page.cursor


class Inspection:
    """What came of looking at payloads, so far."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.checked = 0
        self.foreign = 0
        """Of a PHP application: its own workers run them."""
        self.refused_before = 0
        """Failed because they were refused, and would be again: no news."""
        self._troubles: dict[tuple[str, str], Trouble] = {}

    def look(self, found: Found) -> None:
        """Count this payload, and remember what is wrong with it."""
        self.checked += 1
        try:
            self._try(decode(found.payload), found)
        except MalformedPayload as error:
            self._note("", "they cannot be read", "", found, str(error))

    def _try(self, envelope: Envelope, found: Found) -> None:
        job, uuid = envelope.job, envelope.uuid
        try:
            from_envelope(self._registry.get(job), envelope)
        except UnknownJob as error:
            if "@" in job:
                self.foreign += 1
            else:
                self._note(job, "there is no such job", uuid, found, str(error))
        except InvalidArguments as error:
            self._note(job, _reason(error), uuid, found, str(error))
        except Exception as error:  # whatever a job's own __post_init__ raises ends its attempt
            name = type(error).__name__
            self._note(job, f"{name} while it is made", uuid, found, f"{name}: {error}")

    def _note(self, job: str, reason: str, uuid: str, found: Found, message: str) -> None:
        if found.was_refused:
            self.refused_before += 1
            return
        if (job, reason) not in self._troubles and len(self._troubles) >= MOST_REASONS:
            job, reason = "", "many other reasons"
        trouble = self._troubles.setdefault((job, reason), Trouble(job, reason))
        trouble.count += 1
        if len(trouble.samples) < SAMPLES:
            trouble.samples.append(Sample(uuid, found.place, message))

    @property
    def troubles(self) -> list[Trouble]:
        """The most frequent first."""
        return sorted(self._troubles.values(), key=lambda trouble: (-trouble.count, trouble.job, trouble.reason))

    @property
    def refused(self) -> int:
        return sum(trouble.count for trouble in self._troubles.values())


def inspect(driver: Driver, inspection: Inspection, *, queues: Sequence[str], tick: Callable[[], object]) -> None:
    """Look at all that this store holds; *tick* is called after each payload."""
    for found in payloads(driver, queues=queues):
        inspection.look(found)
        tick()


def _reason(error: InvalidArguments) -> str:
    """The same for payloads that lack the same: positions in lists are left out."""
    reasons = dict.fromkeys(_INDEX.sub("*", reason) for reason in error.reasons)
    return "; ".join(reasons) or "it does not take these arguments"
