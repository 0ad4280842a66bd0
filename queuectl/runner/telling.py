"""Telling an application's listeners what became of a run. What nobody hears is not made."""

from __future__ import annotations

import time
from time import monotonic

from queuectl.events import JobDone, JobFacts, JobFailed, JobRaised, JobReleased, JobStarting, is_heard, tell
from queuectl.jobs.outcome import Ending, Problem, Report
from queuectl.runner.attempt import Attempt


def starting(attempt: Attempt) -> float:
    """Its job is about to begin; returns the monotonic time."""
    if is_heard(JobStarting):
        tell(JobStarting(facts_of(attempt), time.time()))
    return monotonic()


def ended(attempt: Attempt, report: Report, begun: float) -> None:
    """It has ended so. What the store makes of it comes afterwards."""
    kind = {Ending.FINISHED: JobDone, Ending.RELEASED: JobReleased}.get(report.ending, JobRaised)
    if not is_heard(kind):
        return
    about, now, duration = facts_of(attempt), time.time(), monotonic() - begun
    why = report.problem or Problem("", "", "")
    match report.ending:
        case Ending.FINISHED:
            tell(JobDone(about, now, duration))
        case Ending.RELEASED:
            tell(JobReleased(about, now, duration, report.after, why.type, why.message, why.text))
        case _:
            tell(JobRaised(about, now, duration, why.type, why.message, why.text))


def failed(attempt: Attempt, why: Problem) -> None:
    """Its job has failed for good, and the record of it is durable."""
    if is_heard(JobFailed):
        tell(JobFailed(facts_of(attempt), time.time(), 0.0, why.type, why.message, why.text))


def facts_of(attempt: Attempt) -> JobFacts:
    return JobFacts(attempt.connection, attempt.queue, "", attempt.uuid, attempt.job, attempt.attempts)
