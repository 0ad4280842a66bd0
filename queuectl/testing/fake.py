"""A queue that keeps what is dispatched, for a test to look at and to run.

with Queue.fake() as queue:
    place_order(12)
    queue.assert_dispatched(SendReceipt, times=1, on_queue="mail", where=lambda job: job.order == 12)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar, overload

from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.contract import Driver
from queuectl.drivers.sync import SyncDriver
from queuectl.jobs import runtime
from queuectl.jobs.arguments import from_envelope
from queuectl.jobs.definition import Job, registered_name
from queuectl.jobs.function import FunctionJob
from queuectl.jobs.outcome import Done, Entry
from queuectl.jobs.payload import decode
from queuectl.jobs.pending import Destination
from queuectl.jobs.running import Running
from queuectl.jobs.runtime import Dispatcher, bind_process
from queuectl.testing.worker import InlineWorker, Ran
from queuectl.transactions import Caller

J = TypeVar("J", bound=Job)
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Dispatched(Generic[J]):
    """A job as a worker would get it: from its payload, so what it cannot carry is missing here as well."""

    job: J
    connection: str
    queue: str
    delay: float
    """Seconds before it is ready."""
    uuid: str

    def __str__(self) -> str:
        later = f" in {self.delay:g} s" if self.delay else ""
        return f"{self.job!r} to {self.connection}@{self.queue}{later}"


class Queue:
    """What has been dispatched while it stood in for every connection."""

    def __init__(self, app: _HeldApp) -> None:
        self._app = app
        self._workers: dict[str, InlineWorker] = {}

    @classmethod
    @contextmanager
    def fake(cls, app: App | None = None, *, only: Iterable[type[Job]] | None = None) -> Iterator[Queue]:
        """Let dispatches of this process end here, whatever connection they name, and let no store be asked.

        *app* is the application whose configuration counts; the one that is found, by default. *only* these jobs stay
        here, where it is given: the others go their way.
        """
        held = _HeldApp((app or App.load()).config, clock=FakeClock())
        outside = partial(_outside, app)
        dispatcher = held.dispatcher if only is None else _Only(held.dispatcher, tuple(only), outside)
        with _bound(replace(held.runtime, dispatcher=dispatcher)):
            yield cls(held)
        held.close()

    # Looking

    @property
    def clock(self) -> FakeClock:
        """The time here: it stands still until a test has it `sleep`."""
        return self._app.held_clock

    @overload
    def dispatched(self, job: type[J], *, where: Callable[[J], bool] | None = None) -> list[Dispatched[J]]: ...
    @overload
    def dispatched(
        self, job: FunctionJob[..., Any] | None = None, *, where: Callable[[Any], bool] | None = None
    ) -> list[Dispatched[Any]]: ...
    def dispatched(
        self, job: type[Job] | FunctionJob[..., Any] | None = None, *, where: Callable[[Any], bool] | None = None
    ) -> list[Dispatched[Any]]:
        """What was dispatched, in order; of one job, and *where* a function says yes, if they are given."""
        kind = _class_of(job)
        found = [self._read(connection, entry) for connection, entry in self._app.entries]
        return [
            each
            for each in found
            if (kind is None or isinstance(each.job, kind)) and (where is None or where(each.job))
        ]

    def assert_dispatched(
        self,
        job: type[J] | FunctionJob[..., Any],
        *,
        times: int | None = None,
        on_queue: str | None = None,
        on_connection: str | None = None,
        where: Callable[[J], bool] | None = None,
    ) -> None:
        """At least one such job, or exactly so many *times*; `AssertionError` with what there was instead."""
        found = self._matching(job, on_queue, on_connection, where)
        if (not found) if times is None else len(found) != times:
            wanted = "at least once" if times is None else f"{times} times"
            raise AssertionError(self._complaint(job, f"{len(found)} times, not {wanted}", on_queue, where))

    def assert_not_dispatched(
        self,
        job: type[J] | FunctionJob[..., Any],
        *,
        on_queue: str | None = None,
        on_connection: str | None = None,
        where: Callable[[J], bool] | None = None,
    ) -> None:
        """No such job."""
        if found := self._matching(job, on_queue, on_connection, where):
            raise AssertionError(self._complaint(job, f"{len(found)} times", on_queue, where))

    def assert_nothing_dispatched(self) -> None:
        self.assert_count(0)

    def assert_count(self, count: int) -> None:
        """So many jobs of any kind."""
        if len(self._app.entries) != count:
            raise AssertionError(f"{len(self._app.entries)} jobs were dispatched, not {count}.{self._shown()}")

    # Running

    def run_due(self, connection: str | None = None) -> list[Ran]:
        """Run what is due by the `clock`, and what that dispatches in turn, as a worker of this connection would."""
        name = self._app.connection(connection).name
        if name not in self._workers:
            self._workers[name] = InlineWorker(self._app, connection=name)
        return self._workers[name].run_due()

    def _matching(
        self,
        job: type[Job] | FunctionJob[..., Any],
        queue: str | None,
        connection: str | None,
        where: Callable[[Any], bool] | None,
    ) -> list[Dispatched[Any]]:
        return [
            each
            for each in self.dispatched(_class_of(job) or Job, where=where)
            if queue in (None, each.queue) and connection in (None, each.connection)
        ]

    def _complaint(
        self, job: type[Job] | FunctionJob[..., Any], fact: str, queue: str | None, where: object | None
    ) -> str:
        place = f" to {queue}" if queue else ""
        condition = ", where that was asked" if where else ""
        return f"{registered_name(_class_of(job) or Job)} was dispatched{place}{condition} {fact}.{self._shown()}"

    def _shown(self) -> str:
        found = self.dispatched()
        if not found:
            return " Nothing was dispatched."
        lines = "".join(f"\n  {each}" for each in found[:MOST_SHOWN])
        more = f"\n  … and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
        return f" Dispatched:{lines}{more}"

    def _read(self, connection: str, entry: Entry) -> Dispatched[Any]:
        envelope = decode(entry.payload)
        job = from_envelope(self._app.registry.get(envelope.job), envelope)
        return Dispatched(job, connection, entry.queue, entry.delay, entry.uuid)


class _Held(SyncDriver):
    """The reference driver as a store that a worker would serve; remembers what was pushed, in order."""

    immediate: ClassVar[bool] = False

    def __init__(self, connection: Connection, clock: FakeClock, entries: list[tuple[str, Entry]]) -> None:
        super().__init__(connection, clock)
        self._pushed = entries

    def push(self, entries: Sequence[Entry]) -> list[str]:
        stand = super().push(entries)
        self._pushed += [(self.name, entry) for entry, uuid in zip(entries, stand, strict=True) if uuid == entry.uuid]
        return stand

    def join(self, caller: Caller) -> _HeldJoin:
        return _HeldJoin(self, caller)


@dataclass(frozen=True, slots=True)
class _HeldJoin:
    """What is dispatched within a transaction is here once it has been committed; at once where nobody says when."""

    held: _Held
    caller: Caller
    control: None = None

    def push(self, entries: Sequence[Entry]) -> list[str]:
        self.caller.once_committed(partial(self.held.push, entries))
        return [entry.uuid for entry in entries]

    def finish(self, receipt: str, payload: bytes, done: Done) -> bool:
        return True

    def holds(self, receipt: str) -> bool:
        return False


class _HeldApp(App):
    """An application whose every store is in memory."""

    def __init__(self, *args: Any, clock: FakeClock) -> None:
        super().__init__(*args, clock=clock)
        self.held_clock = clock
        self.entries: list[tuple[str, Entry]] = []
        """What was pushed, with the connection it went to."""

    def _build(self, connection: Connection) -> Driver:
        return _Held(connection, self.held_clock, self.entries)

    def outbox(self, name: str, *, timeout: float | None = None) -> None:
        """No store is ever away here."""


class _Only:
    """Keeps some jobs; the others are dispatched as if nothing were faked."""

    def __init__(self, held: Dispatcher, kinds: tuple[type[Job], ...], outside: Callable[[], Dispatcher]) -> None:
        self._held, self._kinds, self._outside = held, kinds, outside

    def dispatch(self, jobs: Sequence[Job], to: Destination) -> list[str]:
        return [self._for(job).dispatch([job], to)[0] for job in jobs]

    def dispatch_within(self, jobs: Sequence[Job], to: Destination, caller: Caller) -> list[str]:
        return [self._for(job).dispatch_within([job], to, caller)[0] for job in jobs]

    def complete_within(self, caller: Caller, state: Running) -> None:
        self._held.complete_within(caller, state)

    def dispatch_sync(self, job: Job, to: Destination) -> str:
        return self._for(job).dispatch_sync(job, to)

    def _for(self, job: Job) -> Dispatcher:
        return self._held if isinstance(job, self._kinds) else self._outside()


def _outside(app: App | None) -> Dispatcher:
    """What dispatches where nothing is faked."""
    return (app or App.load()).dispatcher


@contextmanager
def _bound(faked: runtime.Runtime) -> Iterator[None]:
    """In this context, and in threads that have none of their own."""
    former = runtime.bound_to_process()
    token = runtime.bind(faked)
    bind_process(faked)
    try:
        yield
    finally:
        bind_process(former)
        runtime.unbind(token)


def _class_of(job: type[Job] | FunctionJob[..., Any] | None) -> type[Job] | None:
    return job.job if isinstance(job, FunctionJob) else job
