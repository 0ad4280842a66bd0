"""The run a job is in: what `self.attempts`, `self.release()` and `self.fail()` refer to while `handle` runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from queuectl.errors import NotRunning
from queuectl.jobs import context

if TYPE_CHECKING:
    from queuectl.jobs.definition import Job


@dataclass(slots=True)
class Running:
    """One run of one job, and what the job asked for while it ran."""

    attempts: int
    uuid: str
    queue: str = ""
    connection: str = ""
    """Where it was reserved: whose other workers share locks and limits with it."""
    context: Mapping[str, str] = field(default_factory=dict)
    """What came with the job from who dispatched it."""
    timeout: float = 0.0
    """Seconds that this run may take; 0: no limit."""
    release_after: float | None = None
    """Set by `release()` and `snooze()`: the seconds asked for."""
    spared: bool = False
    """Set by `snooze()`: this run is not to count as an attempt."""
    failure: BaseException | None = None
    """Set by `fail()`: why. Stands above a release."""
    is_cancelled: Callable[[], bool] = bool
    """Whether somebody wants this run to end."""
    shown_at: float = float("-inf")
    """Monotonic time at which its progress was passed on last."""
    receipt: str | None = None
    """What proves to its store that the job is this run's: empty where none can be shown to a transaction, None where
    there is nothing to prove because it runs at once."""
    payload: bytes = b""
    begins: Callable[..., None] | None = None
    """To be told, `joined=True`, before a transaction takes it out of its queue."""
    joined: Joined | None = None
    """The transaction that is to take it out of its queue."""
    depth: int = 0
    """How many jobs wait for this one in the same call stack; set when it starts."""


class Joined(Protocol):
    """A transaction that a run has joined."""

    def left_open(self) -> bool:
        """End it if it has not ended; whether it was left so, with nothing committed."""


_STATE = "_running"  # in the instance's __dict__, beside its fields: no part of its equality, repr or arguments
_current: ContextVar[Any] = ContextVar("queuectl_current_job", default=None)


def current_job() -> Job:
    """The job that runs here, as its `self`: for functions made jobs with `@job`, and for the code they call."""
    found: Job | None = _current.get()
    if found is None:
        raise NotRunning("current_job() has an answer only while a job runs.")
    return found


def running_here() -> tuple[str, Running] | None:
    """The name and the run of the job that runs here, if one does."""
    found: Job | None = _current.get()
    return None if found is None else (getattr(type(found), "name", None) or type(found).__name__, state_of(found, ""))


def state_of(job: Job, asked: str) -> Running:
    """The run that *job* is in; `NotRunning` that names what was *asked* if it is in none."""
    state: Running | None = vars(job).get(_STATE)
    if state is None:
        raise NotRunning(f"{type(job).__name__}.{asked} has a meaning only while the job runs.")
    return state


def depth() -> int:
    """How many jobs run here, one inside the other: those on an immediate connection run inside the one before."""
    found: Job | None = _current.get()
    return 0 if found is None else state_of(found, "").depth + 1


@contextmanager
def running(job: Job, state: Running) -> Iterator[None]:
    """Let *job* be the current job, in the run that *state* describes."""
    vars(job)[_STATE] = state
    state.depth = depth()
    token, former = _current.set(job), context.begin(state.context)
    try:
        yield
    finally:
        context.end(former)
        _current.reset(token)
