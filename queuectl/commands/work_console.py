"""What `queue:work` prints: artisan's lines for people, or one JSON object a line."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, assert_never

from queuectl.commands.output import Output
from queuectl.commands.text import leader, safe
from queuectl.commands.times import local, runtime
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
from queuectl.jobs.masking import mask

EACH_JOB: frozenset[type[Event]] = frozenset({JobStarting, JobDone})
"""What happens even when nothing happens."""
LONGEST = 4096
"""Characters of one value in a log; tracebacks are in the failed store."""


class Console:
    """Prints a worker's events as artisan does. A reader that goes away never stops a worker."""

    def __init__(self, output: Output, *, verbosity: int = 0) -> None:
        self._output, self._verbose = output, verbosity > 0
        self.unheard: frozenset[type[Event]] = EACH_JOB if output.quiet else frozenset()
        """The kinds of event that this has no use for."""

    def __call__(self, event: Event) -> None:
        match event:
            case JobStarting(job, at):
                self._job_line(job, at, "RUNNING", "yellow")
            case JobDone(job, at, duration):
                self._job_line(job, at, "DONE", "green", duration)
            case JobReleased() | JobFailed():
                self._job_undone(event)
            case QueuePaused(queue, at):
                self._queue_line(queue, at, "PAUSED", "yellow")
            case QueueResumed(queue, at):
                self._queue_line(queue, at, "RESUMED", "green")
            case JobParked() | LeaseLost() | WorkerNote():
                self._note(event)
            case WorkerStarted() | WorkerStopped():
                self._about_the_worker(event)
            case _:
                assert_never(event)

    def _job_undone(self, event: JobReleased | JobFailed) -> None:
        """Yellow: it will run again; red: never."""
        for_good = isinstance(event, JobFailed)
        word = "FAIL" if for_good or event.error else "RELEASED"
        self._job_line(event.job, event.at, word, "red" if for_good else "yellow", event.duration)
        if event.error and self._verbose and not self._output.quiet:  # artisan sends this to its log instead
            self._output.note(f"    {safe(clipped(mask(f'{event.error}: {event.message}')))}")

    def _job_line(self, job: JobFacts, at: float, word: str, colour: str, duration: float | None = None) -> None:
        if self._output.quiet:
            return
        style = self._output.style
        about = f" {job.id} {job.connection} {job.queue}" if self._verbose else ""
        left = f"{local(at)} {safe(job.job or '?')}{safe(about)}"
        took = "" if duration is None else f"{style(runtime(duration), 'gray')} "
        self._output.line(leader(left, f"{took}{style(word, colour, 'bold')}", self._output.width))

    def _queue_line(self, queue: str, at: float, word: str, colour: str) -> None:
        if not self._output.quiet:
            right = self._output.style(word, colour, "bold")
            self._output.line(leader(f"{local(at)} Queue {safe(queue)}", right, self._output.width))

    def _note(self, event: JobParked | LeaseLost | WorkerNote) -> None:
        text = clipped(mask(sentence(event)))
        if isinstance(event, WorkerNote) and event.level == "info":
            self._output.info(text)
        else:
            self._output.warn(text)

    def _about_the_worker(self, event: WorkerStarted | WorkerStopped) -> None:
        if isinstance(event, WorkerStopped):
            if self._verbose:
                self._output.info(f"The worker stops: {event.reason}.")
        elif self._output.is_terminal:
            noun = "queue" if len(event.queues) == 1 else "queues"
            self._output.info(f"Processing jobs from the [{', '.join(event.queues)}] {noun}.")


class JsonConsole:
    """Prints a worker's events as JSON, one object a line, with artisan's keys and words."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._notes = Console(output)
        self.unheard: frozenset[type[Event]] = frozenset()

    def __call__(self, event: Event) -> None:
        record = _record(event)
        if record is not None:
            self._output.line(json.dumps({key: value for key, value in record.items() if value not in (None, "")}))
        elif isinstance(event, WorkerNote):
            self._notes(event)


def _record(event: Event) -> dict[str, Any] | None:
    """The object of one line; None for what is not part of the stream."""
    match event:
        case JobStarting(job, at):
            return _job(job, at, "info", "starting")
        case JobDone(job, at, duration):
            return _job(job, at, "info", "success", result="deleted", duration=duration)
        case JobReleased() | JobFailed():
            return _undone(event)
        case JobParked(job, at, reason, after):
            return {**_job(job, at, "warning", "parked", result="released", message=reason), "delay": after}
        case LeaseLost(job, at, held):
            return _job(job, at, "warning", "lease_lost", duration=held, message=sentence(event))
        case QueuePaused(queue, at) | QueueResumed(queue, at):
            status = "paused" if isinstance(event, QueuePaused) else "resumed"
            return {"level": "warning", "queue": queue, "status": status, "timestamp": _stamp(at)}
        case _:
            return None


def _undone(event: JobReleased | JobFailed) -> dict[str, Any]:
    if isinstance(event, JobFailed):
        status, result, more = "failed", "failed", {}
    else:
        status = "released_after_exception" if event.error else "released"
        result, more = "released", {"delay": event.after}
    known = _job(event.job, event.at, "warning", status, result=result, duration=event.duration)
    return {**known, "exception": event.error, "message": clipped(mask(event.message)), **more}


def _job(
    job: JobFacts,
    at: float,
    level: str,
    status: str,
    *,
    result: str | None = None,
    duration: float | None = None,
    message: str = "",
) -> dict[str, Any]:
    return {
        "level": level,
        "id": job.id,
        "uuid": job.uuid,
        "connection": job.connection,
        "queue": job.queue,
        "job": job.job,
        "status": status,
        "result": result,
        "attempts": job.attempts,
        "message": clipped(mask(message)),
        "timestamp": _stamp(at),
        "duration": None if duration is None else round(duration, 6),
    }


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="microseconds")


def sentence(event: JobParked | LeaseLost | WorkerNote) -> str:
    match event:
        case JobParked(job, _, reason, after):
            remedy = "`queuectl jobs` lists those of the modules that `jobs` in conf/queue.toml names."
            return f"{job.job or job.uuid} waits {after:.0f} s: {reason}. {remedy}"
        case LeaseLost(job, _, held):
            return (
                f"{job.job or job.uuid} ({job.uuid}) lost its lease after {held:.0f} s: another worker has it, "
                "and what became of it here was not recorded."
            )
        case WorkerNote(text):
            return text


def clipped(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
