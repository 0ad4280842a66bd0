"""What a job needs from the rest of the house, and the one global that finds it.

`app` (in a program) or the child's start (in a worker) binds a `Runtime`; `Job.dispatch()` and the built-in jobs use
`current()`. A program that binds nothing gets one built from its configuration on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING, Any, Protocol

from queuectl.errors import NotBound

if TYPE_CHECKING:
    from queuectl.disks import Disk
    from queuectl.jobs.definition import Job
    from queuectl.jobs.limits import Rate
    from queuectl.jobs.pending import Destination
    from queuectl.jobs.registry import Registry
    from queuectl.jobs.running import Running
    from queuectl.transactions import Caller


class Dispatcher(Protocol):
    """Puts jobs on their way."""

    def dispatch(self, jobs: Sequence[Job], to: Destination) -> list[str]:
        """Push (or, on an immediate driver, run) these, and return their uuids in order."""

    def dispatch_within(self, jobs: Sequence[Job], to: Destination, caller: Caller) -> list[str]:
        """Make these part of a transaction of the application's, or have them follow its commit."""

    def complete_within(self, caller: Caller, state: Running) -> None:
        """Take a running job out of its queue as part of a transaction of its own."""

    def dispatch_sync(self, job: Job, to: Destination) -> str:
        """Run it here and now, through encode and decode, and return its uuid; its exception reaches the caller."""


class NotificationService(Protocol):
    """Tells the users who are connected right now."""

    def broadcast(self, notification: dict[str, Any]) -> None:
        """Send word of a row of the table of notifications: its columns by name, times as ISO-8601 text or None.

        What it raises has the job tried again.
        """


class Disks(Protocol):
    """The configured disks by name; `ConfigurationError` for one that is not there."""

    def __getitem__(self, name: str) -> Disk: ...


class Shared(Protocol):
    """What all workers of one connection share: locks and counts in its store, which end by the store's clock."""

    def acquire(self, key: str, owner: str, ttl: float) -> bool:
        """Take a lock for *ttl* seconds, unless somebody has it; whether it was taken."""

    def release(self, key: str, owner: str) -> bool:
        """Give it back, if it is still this owner's."""

    def holder(self, key: str) -> str | None:
        """Whose it is."""

    def use(self, key: str, by: int, ttl: float) -> int:
        """Add to a count, which ends *ttl* seconds after it began, and return it."""

    def used(self, key: str) -> int:
        """A count; 0 if there is none."""

    def reset(self, key: str) -> bool:
        """Begin a count anew."""

    def newest(self, key: str) -> float:
        """When the last of several debounced jobs was dispatched."""

    def show_progress(self, uuid: str, fraction: float, text: str) -> None:
        """How far a running job is."""

    def put_off(self, uuid: str, why: str, *, at: float, seconds: float, holder: str = "") -> None:
        """Leave word of why a job comes back so many seconds after *at*, and of the job that holds it up."""


class Notifications(Protocol):
    """The table of notifications."""

    def create(self, notification: dict[str, Any], *, job_uuid: str) -> dict[str, Any]:
        """The row of this job, made now or by an earlier attempt."""

    def mark_broadcast(self, job_uuid: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Runtime:
    """The services that jobs use. Built by `app`; lazy where building costs."""

    dispatcher: Dispatcher
    registry: Registry
    disks: Disks
    notifications: Callable[[], Notifications]
    notifier: Callable[[], NotificationService | None]
    shared: Callable[[str], Shared]
    """Of a connection, by its name."""
    limits: Mapping[str, Rate] = field(default_factory=dict)
    """The limits that are configured, by name."""
    now: Callable[[], float] = time
    """Seconds since the epoch."""


class _Process:
    """What a context falls back to: the runtime of the whole process, built on first use."""

    runtime: Runtime | None = None
    build: Callable[[], Runtime] | None = None
    service: NotificationService | None = None


_PROCESS = _Process()
_bound: ContextVar[Runtime | None] = ContextVar("queuectl_runtime", default=None)


def current() -> Runtime:
    """The bound runtime; built from the configuration if nobody bound one."""
    bound = _bound.get()
    if bound is not None:
        return bound
    if _PROCESS.runtime is None:
        if _PROCESS.build is None:
            raise NotBound
        _PROCESS.runtime = _PROCESS.build()
    return _PROCESS.runtime


def bind(runtime: Runtime) -> Token[Runtime | None]:
    """Use *runtime* in this context; undo with `unbind`."""
    return _bound.set(runtime)


def unbind(token: Token[Runtime | None]) -> None:
    _bound.reset(token)


def bind_process(runtime: Runtime | None, *, build: Callable[[], Runtime] | None = None) -> None:
    """Use *runtime*, or what *build* makes on first use, in every context that has none of its own."""
    _PROCESS.runtime = runtime
    _PROCESS.build = build or _PROCESS.build


def bound_to_process() -> Runtime | None:
    """What `bind_process` was given last, or built."""
    return _PROCESS.runtime


def bind_notification_service(service: NotificationService | None) -> None:
    """Broadcast through *service* in this whole process, whatever the configuration says; None undoes it.

    A worker's children import the modules that `jobs` names: there is the place to call it for jobs on a queue.
    """
    _PROCESS.service = service


def notification_service() -> NotificationService | None:
    """The one that was bound, else the one that is configured; None if there is none."""
    return _PROCESS.service or current().notifier()
