"""What happens to jobs and workers, as frozen facts. Printing, counting and logging are listeners.

    from queuectl.events import JobFailed, on

    on(JobFailed, lambda event: alert(f"{event.job.job}: {event.message}"))

An application hears, in the process where it happens, of `JobQueued`, `JobStarting`, `JobDone`, `JobReleased`,
`JobRaised` and `JobFailed`. The others are told by the worker's parent, which never imports the application.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

E = TypeVar("E")
logger = logging.getLogger("queuectl.events")


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
class JobQueued:
    """A dispatch has been accepted: the job is durable."""

    job: JobFacts
    at: float
    delay: float
    """Seconds before it is ready."""


@dataclass(frozen=True, slots=True)
class JobRaised:
    """An attempt ended with an exception, a time-out included; the worker decides whether there is another."""

    job: JobFacts
    at: float
    duration: float
    error: str
    message: str
    text: str


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
class JobFailed:
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


# What a worker's parent tells.
Event = (
    JobStarting
    | JobDone
    | JobReleased
    | JobFailed
    | JobParked
    | LeaseLost
    | WorkerStarted
    | WorkerStopped
    | QueuePaused
    | QueueResumed
    | WorkerNote
)
Listener = Callable[[Event], Any]

_listeners: dict[type[Any], list[Callable[[Any], object]]] = {}


def on(kind: type[E], listener: Callable[[E], object]) -> Callable[[], None]:
    """Have *listener* called with each event of this *kind* in this process, and return what undoes it.

    It is called where the event happens, and what it takes, the job or the dispatch takes. What it raises is logged
    and stops nothing. Called in a module that `jobs` names, it holds in every process of every worker.
    """
    _listeners.setdefault(kind, []).append(listener)

    def undo() -> None:
        if listener in _listeners.get(kind, ()):
            _listeners[kind].remove(listener)

    return undo


def is_heard(kind: type[Any]) -> bool:
    """Whether anybody listens; what nobody hears need not be made."""
    return bool(_listeners.get(kind))


def tell(event: Any) -> None:
    """Call who listens to events of its kind."""
    for listener in tuple(_listeners.get(type(event), ())):
        try:
            listener(event)
        except Exception:
            logger.exception("A listener to %s failed.", type(event).__name__)
