"""What happens to a job, as values: what is pushed, how a run ended, and what the store is told to do about it.

`Entry` goes into a store, `Report` comes out of a run, an `Outcome` is what the runner decides from the report.
A driver makes outcomes durable and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Unique:
    """A key that one entry at a time may hold; the store takes it in the same step as the entry."""

    key: str
    ttl: float
    """Seconds after which the key is free again, whatever happened to its holder."""


class Entry(NamedTuple):  # not a frozen dataclass: a bulk dispatch makes a hundred thousand a second
    """One payload on its way into a queue."""

    queue: str
    payload: bytes
    uuid: str
    delay: float = 0.0
    """Seconds before it is ready; 0 is now."""
    unique: Unique | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a run did not succeed, in words; safe to store (no NUL, no lone surrogate, capped)."""

    type: str
    """The exception's qualified class name, e.g. `builtins.ValueError`."""
    message: str
    text: str
    """Message and traceback as a person reads them; the failed store keeps this."""
    place: str = ""
    """The application's innermost frame, file and function: `orders.py:charge`; empty where there is none."""


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A job that failed for good, whole: everything needed to understand it and to run it again."""

    uuid: str
    connection: str
    queue: str
    payload: bytes
    job: str
    """Display name; empty when the payload cannot be read."""
    attempts: int
    problem: Problem
    failed_at: float
    """Seconds since the epoch."""


class Ending(Enum):
    """How a run ended, as seen from where it ran."""

    FINISHED = "finished"
    RELEASED = "released"  # the job asked for it with self.release() or self.snooze()
    FAILED = "failed"  # the job asked for it with self.fail()
    RAISED = "raised"
    TIMED_OUT = "timed_out"
    DIED = "died"  # its process is gone
    REFUSED = "refused"  # malformed payload or arguments that do not fit: another attempt cannot help
    UNKNOWN = "unknown"  # no job of this name is registered here
    INTERRUPTED = "interrupted"  # by us, or never started: not the job's fault


@dataclass(frozen=True, slots=True)
class Report:
    """The ending of one run, with what belongs to it."""

    ending: Ending
    after: float = 0.0
    """For RELEASED: the seconds the job asked for."""
    problem: Problem | None = None
    spared: bool = False
    """For RELEASED: it is not to count as an attempt."""
    joined: bool = False
    """The job may have completed itself, in a transaction of its own (`Job.complete_in`)."""


@dataclass(frozen=True, slots=True)
class Done:
    """The job is finished; forget it, and in the same step push what follows it."""

    then: tuple[Entry, ...] = ()
    unlock: tuple[str, ...] = ()
    """Unique keys to free if this job still holds them, before what follows is pushed."""
    batch: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Back into the queue, ready after some seconds."""

    after: float = 0.0
    spared: bool = False
    """True: the reservation does not count as an attempt."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Out of the queue and into the failed store, in one step."""

    record: FailedRecord
    unlock: tuple[str, ...] = ()
    batch: str | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """Back into the queue, not an attempt, remembering when it was first parked."""

    reason: str
    after: float


@dataclass(frozen=True, slots=True)
class Completed:
    """The job's own transaction has already removed it: nothing left to do in the store."""


Outcome = Done | Release | Failed | Parked | Completed
