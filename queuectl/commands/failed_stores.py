"""The failed jobs of all connections that answer."""

from __future__ import annotations

from itertools import islice

from queuectl.commands.filters import Filter
from queuectl.commands.progress import Progress
from queuectl.commands.reach import ask, stores
from queuectl.commands.selection import Selection
from queuectl.commands.session import Session
from queuectl.drivers.contract import Driver
from queuectl.failing import FailedJobs

RECENT = 1000
"""Failed jobs that are looked through for a name."""


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


def doubt_names(session: Session, jobs: FailedJobs, filters: Filter) -> None:
    """Where nothing was found, a word about each name that nobody has but that looks like one somebody has."""
    if filters.names:
        recent = [located.job for located in islice(jobs.all(), RECENT)]
        for sentence in filters.doubts(
            queues=(job.queue for job in recent), jobs=(job.job for job in recent), errors=(job.error for job in recent)
        ):
            session.output.warn(sentence)


def looking_at(session: Session, selection: Selection, failed: FailedJobs) -> Progress:
    """What tells how many of the failed jobs have been looked at."""
    total = failed.total() if selection.at_most is None else selection.at_most
    return Progress(session.output, "failed jobs looked at", total)
