"""A worker for tests: in this process, without children, under whatever clock the application has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from queuectl.app import App
from queuectl.drivers.contract import Driver
from queuectl.errors import ConfigurationError
from queuectl.events import Event
from queuectl.jobs.limits import Limits
from queuectl.jobs.outcome import Failed, Outcome
from queuectl.worker.docket import Docket, Unsettled
from queuectl.worker.link import StoreLink


@dataclass(frozen=True, slots=True)
class Ran:
    """A run, and what became of the job."""

    job: str
    uuid: str
    attempts: int
    outcome: Outcome


class InlineWorker:
    """Runs what is due, one after the other, as `queuectl work` would, and settles it in the store.

    What waits for later stays: under a clock that stands still, `run_due` ends. Time limits are not kept.
    """

    def __init__(
        self, app: App, *, connection: str | None = None, queues: Sequence[str] | None = None, tries: int = 1
    ) -> None:
        """*queues*: by default every queue that there is at each call. *tries*: for jobs that say nothing."""
        self._runner = app.runner
        self._driver = _keeping(app.driver(connection))
        self._queues = queues
        self._declared = partial(app.registry.declarations, all_failures=True)
        self.events: list[Event] = []
        """What a worker would have told."""
        self._docket = Docket(
            self._driver,
            StoreLink(lambda _text: None),
            flags=Limits(tries=tries),
            grace=app.connection(self._driver.name).unknown_job_grace,
            clock=app.clock,
            emit=self.events.append,
        )

    def run_due(self, *, most: int = 10_000) -> list[Ran]:
        """Run jobs until nothing is due, *most* of them at most, and say what became of each."""
        ran: list[Ran] = []
        while len(ran) < most and (one := self.run_next()) is not None:
            ran.append(one)
        return ran

    def run_next(self) -> Ran | None:
        """Run the next job that is due; None if there is none."""
        while True:
            queues = sorted(self._driver.counts()) if self._queues is None else self._queues
            _, reserved = self._driver.exchange([], queues, 1)
            if not reserved:
                return None
            opened = self._docket.open(reserved[0], self._declared())
            if opened is not None:
                key, running = opened
                self._docket.close(key, self._runner.run(running.attempt))
            if (ran := self._settle()) is not None:
                return ran

    def _settle(self) -> Ran | None:
        """Make it durable, and have the job's `failed` hook called if it failed for good."""
        [item] = self._docket.unsettled
        verdicts, _ = self._driver.exchange([item.settlement], [], 0)
        for failed in self._docket.take([item], verdicts):
            self._call_failed(failed)
        attempt = item.running.attempt
        return Ran(attempt.job, attempt.uuid, attempt.attempts, item.outcome)

    def _call_failed(self, item: Unsettled) -> None:
        if isinstance(item.outcome, Failed):
            self._runner.call_failed(item.running.attempt, item.outcome.record.problem)


def _keeping(driver: Driver) -> Driver:
    if driver.immediate:
        raise ConfigurationError(
            f"[{driver.name}] runs jobs at once: there is nothing for a worker to do.",
            hint="Give the test a connection to a database, such as a file of its own.",
        )
    return driver
