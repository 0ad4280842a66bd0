"""What happens in a worker, as frozen facts named by tense. Printing, counting and logging are listeners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class JobFacts:
    """Which job an event is about."""

    connection: str
    queue: str
    id: str
    uuid: str
    job: str
    attempts: int


@dataclass(frozen=True, slots=True)
class JobStarting:
    job: JobFacts
    at: float


@dataclass(frozen=True, slots=True)
class JobDone:
    job: JobFacts
    at: float
    duration: float
    """Seconds, by a monotonic clock."""


@dataclass(frozen=True, slots=True)
class JobReleased:
    """Back in the queue: by its own wish (no error), after an error, or by us (interrupted)."""

    job: JobFacts
    at: float
    duration: float
    after: float
    error: str = ""
    message: str = ""
    text: str = ""
    """The whole problem with its traceback, for logs and `-v`."""


@dataclass(frozen=True, slots=True)
class JobFailedForGood:
    job: JobFacts
    at: float
    duration: float
    error: str
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class JobParked:
    job: JobFacts
    at: float
    reason: str
    after: float


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """A settlement or a renewal came too late: another worker has the job, and nothing was changed."""

    job: JobFacts
    at: float
    held: float


@dataclass(frozen=True, slots=True)
class WorkerStarted:
    connection: str
    queues: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class WorkerStopped:
    reason: str
    exit_code: int
    processed: int
    at: float


@dataclass(frozen=True, slots=True)
class QueuePaused:
    queue: str
    at: float


@dataclass(frozen=True, slots=True)
class QueueResumed:
    queue: str
    at: float


@dataclass(frozen=True, slots=True)
class WorkerNote:
    """Something an operator should read: a lost or restored connection, a replaced child, an abandoned job."""

    text: str
    at: float
    level: str = "warning"


Event = (
    JobStarting
    | JobDone
    | JobReleased
    | JobFailedForGood
    | JobParked
    | LeaseLost
    | WorkerStarted
    | WorkerStopped
    | QueuePaused
    | QueueResumed
    | WorkerNote
)
Listener = Callable[[Event], Any]
