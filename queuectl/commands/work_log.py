"""What a worker writes into the log file: its events as sentences, the failures with their tracebacks."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar, assert_never

from queuectl.commands.times import runtime
from queuectl.commands.work_console import EACH_JOB, sentence
from queuectl.errors import QueuectlError
from queuectl.events import (
    Event,
    JobDone,
    JobFacts,
    JobFailed,
    JobParked,
    JobReleased,
    JobStarting,
    LeaseLost,
    QueuePaused,
    QueueResumed,
    WorkerNote,
    WorkerStarted,
    WorkerStopped,
)
from queuectl.log.records import ABOUT

if TYPE_CHECKING:
    from queuectl.worker.stop import Stop

T = TypeVar("T")
LEVELS = {"info": logging.INFO, "warning": logging.WARNING}


def each(*listeners: Callable[[T], object]) -> Callable[[T], None]:
    """Tell each of these; one that fails keeps nothing from the others."""

    def tell(what: T) -> None:
        with contextlib.ExitStack() as told:
            for listener in reversed(listeners):
                told.callback(listener, what)

    return tell


class WorkLog:
    """A listener that writes. Without a logger it writes nothing: what people should read is on the console."""

    def __init__(self, logger: logging.Logger | None) -> None:
        self._logger = logger
        self.unheard: frozenset[type[Event]] = EACH_JOB if not self._has_details else frozenset()
        """The kinds of event that this has no use for."""

    @property
    def _has_details(self) -> bool:
        return self._logger is not None and self._logger.isEnabledFor(logging.DEBUG)

    def __call__(self, event: Event) -> None:
        if self._logger is None or type(event) in self.unheard:
            return
        level, text = told(event)
        self._write(level, text, job=getattr(event, "job", None))

    def warn(self, text: str) -> None:
        self._write(logging.WARNING, text)

    def stopped(self, stop: Stop) -> None:
        """An end that nobody planned, with all that is known of it."""
        if stop.exit_code:
            why = stop.text or stop.reason.word
            self._write(logging.ERROR, f"The worker stopped, exit code {stop.exit_code}: {why}")

    @contextlib.contextmanager
    def last_words(self) -> Iterator[None]:
        """An error that ends the worker is written down on its way out."""
        try:
            yield
        except QueuectlError as error:
            self._write(logging.CRITICAL, f"{error} {error.hint or ''}".rstrip())
            raise

    def _write(self, level: int, text: str, *, job: JobFacts | None = None) -> None:
        if self._logger is not None:
            self._logger.log(level, "%s", text, extra={ABOUT: _about(job)} if job else None)


def told(event: Event) -> tuple[int, str]:
    """How grave an event is, and its sentence."""
    match event:
        case JobStarting() | JobDone():
            return logging.DEBUG, _in_order(event)
        case JobReleased() | JobFailed():
            return _undone(event)
        case JobParked() | LeaseLost():
            return logging.WARNING, sentence(event)
        case WorkerNote(text, _, level):
            return LEVELS.get(level, logging.WARNING), text
        case QueuePaused(queue) | QueueResumed(queue):
            return logging.INFO, f"Queue {queue} is {'paused' if isinstance(event, QueuePaused) else 'resumed'}."
        case WorkerStarted() | WorkerStopped():
            return logging.INFO, _of_worker(event)
        case _:
            assert_never(event)


def _in_order(event: JobStarting | JobDone) -> str:
    if isinstance(event, JobStarting):
        return f"{_named(event.job)} starts."
    return f"{_named(event.job)} done after {runtime(event.duration)}."


def _undone(event: JobReleased | JobFailed) -> tuple[int, str]:
    if isinstance(event, JobFailed):
        return logging.ERROR, f"{_named(event.job)} failed for good. {event.text}"
    again = f"it runs again in {event.after:.0f} s"
    if event.error:
        return logging.WARNING, f"{_named(event.job)} failed, {again}. {event.text}"
    return logging.INFO, f"{_named(event.job)} given back, {again}."


def _of_worker(event: WorkerStarted | WorkerStopped) -> str:
    if isinstance(event, WorkerStarted):
        return f"The worker starts on [{event.connection}], queues {', '.join(event.queues)}."
    return f"The worker stops: {event.reason}; {event.processed} jobs, exit code {event.exit_code}."


def _about(job: JobFacts) -> dict[str, object]:
    return {"job": job.job, "id": job.uuid, "queue": job.queue, "attempt": job.attempts}


def _named(job: JobFacts) -> str:
    return f"{job.job or '?'} {job.uuid} on {job.connection}@{job.queue}, attempt {job.attempts}:"
