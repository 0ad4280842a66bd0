"""Run one attempt: decode, find the class, check the arguments, call `handle`, and say how it ended."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from queuectl import errors
from queuectl.errors import (
    InvalidArguments,
    JobDefinitionError,
    JobFailed,
    JobTimeout,
    MalformedPayload,
    QueuectlError,
    TimedOut,
    TransactionLeftOpen,
    UnknownJob,
)
from queuectl.jobs import arguments
from queuectl.jobs.context import from_payload
from queuectl.jobs.definition import Job, has_failed_hook, registered_name
from queuectl.jobs.envelope import Envelope
from queuectl.jobs.locks import turn_in
from queuectl.jobs.middleware import Middleware
from queuectl.jobs.outcome import Ending, Problem, Report
from queuectl.jobs.payload import decode
from queuectl.jobs.problem import problem_of
from queuectl.jobs.registry import Registry
from queuectl.jobs.running import Joined, Running, running
from queuectl.jobs.runtime import current
from queuectl.runner import telling
from queuectl.runner.attempt import Attempt
from queuectl.runner.raised import Raised

if TYPE_CHECKING:
    from queuectl.runner.coroutines import EventLoop

logger = logging.getLogger("queuectl.runner")


class Begins(Protocol):
    """Is told before `handle` is called; and, *joined*, before the job completes itself."""

    def __call__(self, *, joined: bool = False) -> None: ...


Alarm = Callable[[float], AbstractContextManager[None]]
"""Raises `JobTimeout` in the block it guards after so many seconds; 0 is never."""

_OURS = {
    f"queuectl.errors.{name}": found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, JobFailed)
}


@contextmanager
def no_alarm(_seconds: float) -> Iterator[None]:
    """No limit."""
    yield


def _nothing(*, joined: bool = False) -> None:
    """Nobody wants to know."""


class Runner:
    """Runs attempts of registered jobs. May be used from several threads; coroutines share one event loop."""

    def __init__(self, registry: Registry, middleware: Sequence[Middleware] = ()) -> None:
        """*middleware* stands around every job, outside of its own."""
        self._registry = registry
        self._everywhere = tuple(middleware)
        self._loop: EventLoop | None = None
        self._lock = Lock()
        self._raised = Raised()

    def run(
        self,
        attempt: Attempt,
        *,
        timeout: float = 0,
        alarm: Alarm = no_alarm,
        begins: Begins = _nothing,
        is_cancelled: Callable[[], bool] = bool,
    ) -> Report:
        """Run it and tell how it ended; whatever the job does, this returns.

        A plain `handle` runs in this thread, inside *alarm*; a coroutine is cancelled after *timeout* seconds.
        0 is no limit. *is_cancelled* says whether somebody wants it to end.
        """
        found = self._prepare(attempt)
        if isinstance(found, Report):
            return found
        job, state = found[0], _state(attempt, found[1], timeout, begins, is_cancelled)
        with running(job, state):
            begins()
            begun = telling.starting(attempt)
            raised = self._call(self._handler(job), _is_coroutine(type(job).handle), timeout, alarm)
            return self._ended(attempt, job, state, raised, timeout, begun)

    async def run_async(
        self,
        attempt: Attempt,
        *,
        timeout: float = 0,
        begins: Begins = _nothing,
        is_cancelled: Callable[[], bool] = bool,
    ) -> Report:
        """The same on the loop that this is awaited on, for a job that `is_async`."""
        found = self._prepare(attempt)
        if isinstance(found, Report):
            return found
        job, state = found[0], _state(attempt, found[1], timeout, begins, is_cancelled)
        if not _is_coroutine(type(job).handle):  # a payload may show another job's name
            return await self.loop.beside(partial(self.run, attempt, begins=begins, is_cancelled=is_cancelled))
        with running(job, state):
            begins()
            begun = telling.starting(attempt)
            raised = await self.loop.ending_of(self._handler(job), timeout)
            return self._ended(attempt, job, state, raised, timeout, begun)

    def is_async(self, name: str) -> bool:
        """Whether the job of this name is a coroutine."""
        try:
            return _is_coroutine(self._registry.get(name).handle)
        except UnknownJob:
            return False

    @property
    def loop(self) -> EventLoop:
        """Where coroutines run. Made, and imported, for the first of them: most applications have none."""
        with self._lock:
            if self._loop is None:
                from queuectl.runner.coroutines import EventLoop

                self._loop = EventLoop()
            return self._loop

    def call_failed(self, attempt: Attempt, why: Problem) -> Problem | None:
        """Tell listeners, and run the job's `failed(error)`; the problem it raised itself, if it did.

        *error* is what the job raised, if this runner saw it; otherwise a `JobFailed` that says why.
        """
        telling.failed(attempt, why)
        error = self._raised.take(attempt.uuid)
        try:
            job, envelope = self._job(attempt)
        except Exception:  # what cannot be made a job has no hook to call; its failure is recorded already
            return None
        if not has_failed_hook(type(job)):
            return None
        with running(job, _state(attempt, envelope)):
            raised = self._call(
                partial(job.failed, error or _told(why)), inspect.iscoroutinefunction(job.failed), 0, no_alarm
            )
        return None if raised is None else problem_of(raised)

    def error_of(self, attempt: Attempt) -> BaseException | None:
        """What this attempt raised, as long as this runner remembers it: it keeps the latest few."""
        return self._raised.get(attempt.uuid)

    def close(self) -> None:
        """Stop the event loop; what still runs on it is cancelled."""
        if self._loop is not None:
            self._loop.close()

    def _prepare(self, attempt: Attempt) -> tuple[Job, Envelope] | Report:
        """The job with its arguments, and its envelope; or how the run has ended, where there is none to call."""
        try:
            job, envelope = self._job(attempt)
            if envelope.more and _is_outdone(attempt, envelope):
                return Report(Ending.FINISHED)
            return job, envelope
        except UnknownJob as error:
            return self._report(attempt, Ending.UNKNOWN, error)
        except (MalformedPayload, InvalidArguments, JobDefinitionError) as error:
            return self._report(attempt, Ending.REFUSED, error)
        except Exception as error:
            return self._report(attempt, Ending.RAISED, error)

    def _job(self, attempt: Attempt) -> tuple[Job, Envelope]:
        envelope = decode(attempt.payload)
        return arguments.from_envelope(self._registry.get(envelope.job), envelope), envelope

    def _handler(self, job: Job) -> Callable[[], Any]:
        """What runs the job: its `handle`, through what stands around it."""
        if not self._everywhere and job.middleware == ():
            return job.handle
        from queuectl.runner.layers import await_through, call_through

        return partial(await_through if _is_coroutine(type(job).handle) else call_through, job, self._everywhere)

    def _call(self, function: Callable[[], Any], coroutine: bool, timeout: float, alarm: Alarm) -> BaseException | None:
        if coroutine:
            raised, ended = _guarded(partial(self.loop.run, function, timeout), 0, alarm)
            return raised or ended
        raised, returned = _guarded(function, timeout, alarm)
        if inspect.iscoroutine(returned):  # an `async def` behind a decorator that is none
            return self.loop.run(lambda: returned, timeout)
        return raised

    def _ended(
        self, attempt: Attempt, job: Job, state: Running, raised: BaseException | None, timeout: float, begun: float
    ) -> Report:
        report = self._reported(attempt, job, state, raised, timeout)
        telling.ended(attempt, report, begun)
        return report

    def _reported(
        self, attempt: Attempt, job: Job, state: Running, raised: BaseException | None, timeout: float
    ) -> Report:
        if state.joined is None:
            return self._told(attempt, job, state, raised, timeout)
        raised = _unless_left_open(state.joined, raised)
        return replace(self._told(attempt, job, state, raised, timeout), joined=True)

    def _told(self, attempt: Attempt, job: Job, state: Running, raised: BaseException | None, timeout: float) -> Report:
        """What the job asked for stands, whatever it raised afterwards."""
        if state.failure is not None:
            return self._report(attempt, Ending.FAILED, state.failure, afterwards=raised)
        if state.release_after is not None:
            why = None if raised is None else problem_of(raised)
            return Report(Ending.RELEASED, state.release_after, why, state.spared)
        if raised is None:
            return Report(Ending.FINISHED)
        if isinstance(raised, JobTimeout):
            return self._report(attempt, Ending.TIMED_OUT, _timed_out(job, raised, timeout))
        return self._report(attempt, Ending.RAISED, raised)

    def _report(
        self, attempt: Attempt, ending: Ending, error: BaseException, *, afterwards: BaseException | None = None
    ) -> Report:
        self._raised.keep(attempt.uuid, error)
        why = problem_of(error)
        if afterwards is not None and afterwards is not error:
            text = f"{why.text}\n\nAfterwards it raised:\n\n{problem_of(afterwards).text}"
            why = replace(why, text=text)
        return Report(ending, problem=why)


def _is_outdone(attempt: Attempt, envelope: Envelope) -> bool:
    """Whether a newer one of its kind has been dispatched, and runs instead."""
    turn = turn_in(envelope.more)
    try:
        if turn is None or current().shared(attempt.connection).newest(turn.key) <= turn.at:
            return False
    except QueuectlError:  # who is last cannot be known now: better twice than not at all
        return False
    logger.info("%s %s does not run: a newer one has been dispatched.", attempt.job, attempt.uuid)
    return True


def _state(
    attempt: Attempt,
    envelope: Envelope,
    timeout: float = 0.0,
    begins: Begins = _nothing,
    is_cancelled: Callable[[], bool] = bool,
) -> Running:
    return Running(
        attempt.attempts,
        attempt.uuid,
        attempt.queue,
        attempt.connection,
        from_payload(envelope.more.get("context")),
        timeout,
        is_cancelled=is_cancelled,
        receipt=attempt.receipt,
        payload=attempt.payload,
        begins=begins,
    )


@cache
def _is_coroutine(handle: Callable[..., object]) -> bool:
    """Whether this method of a class belongs on an event loop."""
    return inspect.iscoroutinefunction(handle)


def _guarded(function: Callable[[], Any], timeout: float, alarm: Alarm) -> tuple[BaseException | None, Any]:
    """Call it inside the alarm: what it raised, and what it returned.

    An alarm that goes off once the call is over changes nothing: the first entry of the list stands.
    """
    over: list[tuple[BaseException | None, Any]] = []
    try:
        with alarm(timeout):
            try:
                over.append((None, function()))
            except BaseException as error:
                over.append((error, None))
    except JobTimeout as late:
        over.append((late, None))
    return over[0]


def _unless_left_open(joined: Joined, raised: BaseException | None) -> BaseException | None:
    """What the run raised; and if nothing, that it has left a transaction open which nobody would commit."""
    try:
        left_open = joined.left_open()
    except Exception as error:  # what is wrong with the connection
        return raised or error
    return raised or (TransactionLeftOpen() if left_open else None)


def _timed_out(job: Job, error: JobTimeout, timeout: float) -> TimedOut:
    """The time-out as a failure with a name a person understands, and where it struck."""
    limit = f" of {timeout:g} s" if timeout else ""
    found = TimedOut(f"{registered_name(type(job))} ran longer than its timeout{limit}.")
    found.__cause__ = error.__cause__
    return found.with_traceback(error.__traceback__)


def _told(why: Problem) -> JobFailed:
    """An exception for a failure that nobody here saw happen; its class is never taken from elsewhere."""
    return _OURS.get(why.type, JobFailed)(why.message)
