"""What is told to those who wait for the end of a job."""

from __future__ import annotations

from functools import partial

from queuectl.clock import Clock
from queuectl.drivers.contract import Driver
from queuectl.drivers.ends import End
from queuectl.jobs.outcome import Failed
from queuectl.worker.docket import Docket, Unsettled
from queuectl.worker.link import StoreLink

MESSAGE_LENGTH = 200


class Notices:
    """Says how watched jobs ended: only once that is durable, and again and again until the store has taken it.

    If the worker is killed between the two, nobody is told; whoever waits looks for the job itself now and then.
    """

    def __init__(self, driver: Driver, link: StoreLink, docket: Docket, clock: Clock) -> None:
        self._driver, self._link, self._docket, self._clock = driver, link, docket, clock

    def post(self) -> None:
        owed = self._docket.awaited
        while owed:
            watch, end = owed[0].running.watch, end_of(owed[0], self._clock.now())
            if not self._link.do(partial(self._driver.control.tell_end, watch, end)):
                return
            owed.popleft()


def end_of(item: Unsettled, at: float) -> End:
    """What became of a job whose outcome is final and durable."""
    attempt, outcome = item.running.attempt, item.outcome
    error = message = ""
    if isinstance(outcome, Failed):
        problem = outcome.record.problem
        error, message = problem.type, problem.message.partition("\n")[0][:MESSAGE_LENGTH]
    done = not isinstance(outcome, Failed)
    return End(attempt.uuid, attempt.job, attempt.queue, done, attempt.attempts, at, error, message)
