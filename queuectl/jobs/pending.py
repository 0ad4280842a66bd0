"""A dispatch that is still being described: `SendWelcome.on_queue("mail").later(60)`, then `.dispatch(…)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, cast

from queuectl.errors import UsageError
from queuectl.jobs.arguments import bind
from queuectl.jobs.payload import check_queue_name
from queuectl.jobs.runtime import current
from queuectl.jobs.settings import Delay, is_delay
from queuectl.transactions import Caller, Transactional, caller_of

if TYPE_CHECKING:
    from queuectl.jobs.definition import Job

P = ParamSpec("P")
CHUNK = 1_000
"""Jobs that a bulk dispatch holds in memory, and sends, at a time."""


class Destination(NamedTuple):
    """Where jobs go, and when; None leaves the choice to the class, then to the configuration."""

    connection: str | None = None
    queue: str | None = None
    delay: Delay | None = None
    after_commit: bool = False


ANYWHERE = Destination()


def dispatch(make: Callable[..., object], args: Any, kwargs: Any, to: Destination) -> str:
    """Dispatch the one job that *make*, a job class, makes of these arguments."""
    cls: Any = make
    return current().dispatcher.dispatch([bind(cls, args, kwargs)], to)[0]


async def dispatch_beside(make: Callable[..., object], args: Any, kwargs: Any, to: Destination) -> str:
    """`dispatch` in a thread, so that the loop of who awaits it goes on.

    Arguments are checked here, before. Who stops waiting does not stop the push: the job may be there all the same.
    """
    import asyncio  # whoever awaits has it already; nobody else is to pay for it

    job = bind(cast("type[Job]", make), args, kwargs)
    [uuid] = await asyncio.to_thread(current().dispatcher.dispatch, [job], to)
    return uuid


@dataclass(frozen=True, slots=True)
class Pending(Generic[P]):
    """Where and when to dispatch, typed by the arguments that the job takes. Each step returns a new one."""

    make: Callable[P, object]
    """The job class, seen as the function that its `__init__` is."""
    connection: str | None = None
    queue: str | None = None
    delay: Delay | None = None
    within: Caller | None = None
    """The transaction of the application that it is part of, or follows."""
    afterwards: bool = False

    def on_queue(self, queue: str) -> Pending[P]:
        return replace(self, queue=check_queue_name(queue))

    def on_connection(self, connection: str) -> Pending[P]:
        if not isinstance(connection, str) or not connection:
            raise UsageError(f"on_connection() takes the name of a connection, not {connection!r}.")
        return replace(self, connection=connection)

    def later(self, when: Delay) -> Pending[P]:
        """Hold the job back: seconds, a timedelta, or until a moment (one that has passed is now)."""
        if not is_delay(when):
            raise UsageError(f"later() takes seconds, a timedelta or a datetime at most ten years away, not {when!r}.")
        return replace(self, delay=when)

    def using(self, connection: str | Transactional) -> Pending[P]:
        """Dispatch through the connection of this name; or as part of the transaction of this database connection or
        session: the job is there exactly if that commits."""
        if isinstance(connection, str):
            return self.on_connection(connection)
        return replace(self, within=caller_of(connection))

    def after_commit(self) -> Pending[P]:
        """Dispatch once the transaction that `using` names, or else the one that the code is in, has been committed:
        for stores that no transaction reaches. At once if there is none; not at all if it is rolled back."""
        return replace(self, afterwards=True)

    def dispatch(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Check the arguments, push the job (on `sync`: run it now) and return its uuid."""
        return self._send([bind(cast("type[Job]", self.make), args, kwargs)])[0]

    async def adispatch(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """`dispatch`, for coroutines; with a transaction of `using`, which is this thread's, it waits as that does."""
        if self.within is not None:
            return self.dispatch(*args, **kwargs)
        return await dispatch_beside(self.make, args, kwargs, self._destination)

    def dispatch_sync(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Run the job here and now and return its uuid; what it raises reaches the caller."""
        job = bind(cast("type[Job]", self.make), args, kwargs)
        return current().dispatcher.dispatch_sync(job, self._destination)

    def dispatch_many(self, jobs: Iterable[Job]) -> list[str]:
        """Dispatch jobs, taken from *jobs* a thousand at a time, and return their uuids in order.

        Each thousand is pushed all or none. When one cannot be, the error has a note of how many went before, all of
        which stay.
        """
        uuids: list[str] = []
        self._send_all(jobs, uuids.extend)
        return uuids

    def dispatch_stream(self, jobs: Iterable[Job]) -> int:
        """As `dispatch_many`, in the memory of a thousand jobs however many there are: return only their number."""
        return self._send_all(jobs, lambda uuids: None)

    def _send_all(self, jobs: Iterable[Job], sent: Callable[[list[str]], object]) -> int:
        count, remaining = 0, iter(jobs)
        try:
            while chunk := list(islice(remaining, CHUNK)):
                sent(self._send(chunk))
                count += len(chunk)
        except BaseException as error:
            error.add_note(f"{count:,} jobs had been dispatched before this.")
            raise
        return count

    def _send(self, jobs: Sequence[Job]) -> list[str]:
        dispatcher, destination = current().dispatcher, self._destination
        if self.within is None:
            return dispatcher.dispatch(jobs, destination)
        return dispatcher.dispatch_within(jobs, destination, self.within)

    @property
    def _destination(self) -> Destination:
        return Destination(self.connection, self.queue, self.delay, self.afterwards)
