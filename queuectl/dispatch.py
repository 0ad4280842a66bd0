"""Jobs on their way into a store, or, on an immediate connection, straight into their run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from queuectl.clock import Clock
from queuectl.config import Connection
from queuectl.drivers.contract import Driver, FailedStore
from queuectl.errors import JobDefinitionError, NestedTooDeeply, QueuectlError
from queuectl.jobs.arguments import dump
from queuectl.jobs.definition import Job, registered_name
from queuectl.jobs.outcome import Ending, Entry, Problem, Report
from queuectl.jobs.payload import check_queue_name, encode, new_uuid
from queuectl.jobs.pending import Dispatch
from queuectl.jobs.registry import Registry
from queuectl.jobs.running import depth
from queuectl.jobs.settings import SETTINGS, declared, is_delay, moment, seconds_until
from queuectl.runner import Attempt, Runner, record

logger = logging.getLogger("queuectl.dispatch")
DEEPEST = 100
"""Jobs that may run one inside the other on immediate connections."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A job that knows where it goes."""

    driver: Driver
    job: str
    entry: Entry


class Pusher(Protocol):
    """Takes jobs for one connection."""

    def push(self, entries: Sequence[Entry]) -> list[str]:
        """As `Driver.push`."""


class QueueDispatcher:
    """Resolves where a job goes (the dispatch over the class over the configuration), and sends it there."""

    def __init__(
        self,
        connections: Callable[[str | None], Driver],
        settings: Mapping[str, Connection],
        registry: Registry,
        runner: Runner,
        clock: Clock,
        *,
        pushers: Callable[[str], Pusher] | None = None,
        failed: Callable[[], FailedStore | None] = lambda: None,
    ) -> None:
        """*connections* gives the driver of a name (None: the default one); *pushers*, what takes its jobs, if that is
        not the driver itself; *failed*, where failures of jobs that run at once are kept, if anywhere."""
        self._driver = connections
        self._pusher: Callable[[str], Pusher] = pushers or connections
        self._settings = settings
        self._registry = registry
        self._runner = runner
        self._clock = clock
        self._failed = failed

    def dispatch(self, dispatches: Sequence[Dispatch]) -> list[str]:
        """Push these, in one step for each connection, and return their uuids in order.

        Everything is checked and encoded before anything is sent. On an immediate connection each job runs now,
        without delay, and what it raises reaches the caller as it is.
        """
        addressed = [self._addressed(dispatch) for dispatch in dispatches]
        uuids = [one.entry.uuid for one in addressed]
        for driver in dict.fromkeys(one.driver for one in addressed):
            places = [place for place, one in enumerate(addressed) if one.driver is driver]
            if driver.immediate:
                for place in places:
                    self._run(addressed[place])
            else:
                pushed = self._pusher(driver.name).push([addressed[place].entry for place in places])
                for place, uuid in zip(places, pushed, strict=True):
                    uuids[place] = uuid
        return uuids

    def dispatch_sync(self, dispatch: Dispatch) -> str:
        """Run it here and now, through encode and decode as any other; its exception reaches the caller as it is."""
        addressed = self._addressed(dispatch)
        self._run(addressed)
        return addressed.entry.uuid

    def _addressed(self, dispatch: Dispatch) -> Addressed:
        cls, now = type(dispatch.job), self._clock.now()
        self._registry.add(cls)
        driver = self._driver(dispatch.connection or cls.connection)
        queue = dispatch.queue or cls.queue or self._settings[driver.name].queue
        delay = cls.delay if dispatch.delay is None else dispatch.delay
        wait = 0.0 if delay is None else seconds_until(delay, now)
        uuid = new_uuid()
        payload = _payload(dispatch.job, uuid, wait=wait, now=now)
        return Addressed(driver, registered_name(cls), Entry(check_queue_name(queue), payload, uuid, delay=wait))

    def _run(self, sent: Addressed) -> None:
        if depth() >= DEEPEST:
            raise NestedTooDeeply(
                f"{sent.job} would be job number {DEEPEST + 1} that runs inside another one.",
                hint="Does a job dispatch itself? A connection with a worker runs one after the other.",
            )
        entry = sent.entry
        attempt = Attempt(sent.driver.name, entry.queue, entry.payload, entry.uuid, sent.job, 1)
        report = self._runner.run(attempt)
        if report.ending not in (Ending.FINISHED, Ending.RELEASED):
            raise self._failure(attempt, report)

    def _failure(self, attempt: Attempt, report: Report) -> BaseException:
        """What to raise; before, the job's `failed` hook hears of it and the record is kept, if it is to be."""
        error = self._runner.error_of(attempt)
        why = report.problem
        if error is None or why is None:
            raise RuntimeError(f"{attempt.job} ended as {report.ending.value} without an exception")
        hook = self._runner.call_failed(attempt, why)
        if hook is not None:
            logger.error("failed() of %s raised in turn: %s", attempt.job, hook.text)
        self._keep(attempt, why)
        return error

    def _keep(self, attempt: Attempt, why: Problem) -> None:
        try:
            store = self._failed()
            if store is not None:
                store.add([record(attempt, why, self._clock.now())])
        except QueuectlError as error:  # must not hide the job's own exception, which is about to be raised
            logger.error("The failure of %s (%s) could not be kept: %s", attempt.job, attempt.uuid, error)


def _payload(job: Job, uuid: str, *, wait: float, now: float) -> bytes:
    settings = declared(type(job))
    return encode(
        job=registered_name(type(job)),
        arguments=dump(job),
        uuid=uuid,
        tries=settings.tries,
        max_exceptions=settings.max_exceptions,
        fail_on_timeout=settings.fail_on_timeout,
        backoff=settings.backoff,
        timeout=settings.timeout,
        retry_until=_retry_until(job, now),
        delay=wait,
        created_at=now,
    )


def _retry_until(job: Job, now: float) -> float | None:
    declared_as: Any = job.retry_until
    until = declared_as() if callable(declared_as) else declared_as
    if until is None:
        return None
    if not is_delay(until):
        name, says = type(job).__name__, SETTINGS["delay"].says
        raise JobDefinitionError(f"{name}.retry_until() must give {says}, not {until!r}.")
    return moment(until, now)
