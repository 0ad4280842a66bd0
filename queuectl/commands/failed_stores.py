"""The failed jobs of all connections that answer."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from queuectl.commands.addresses import doubt
from queuectl.commands.reach import ask, stores
from queuectl.commands.session import Session
from queuectl.drivers.contract import Driver
from queuectl.failing import FailedJobs

RECENT = 1000
"""Failed jobs that are looked through for the name of a queue."""


def reachable(session: Session, connection: str = "") -> tuple[FailedJobs, int]:
    """The failed jobs that can be seen, and 7 instead of 0 if some cannot."""
    chosen = stores(session, connection) if connection else [name for name, _ in session.app.failed_stores()]
    if not chosen:
        stores(session)  # says why there are none
    answers = ask(session, chosen, _reach)
    return session.app.failed_jobs(answers.given), answers.exit_code


def _reach(name: str, driver: Driver) -> Driver:
    driver.failed.page(limit=1)
    return driver


def doubt_queues(session: Session, jobs: FailedJobs, queues: Collection[str]) -> None:
    """Where nothing failed on *queues*, a word about each that looks like another one."""
    if queues:
        known = {located.job.queue for located in islice(jobs.all(), RECENT)}
        for sentence in filter(None, (doubt(queue, known) for queue in queues)):
            session.output.warn(sentence)
