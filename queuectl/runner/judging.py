"""What becomes of a job: pure decisions from how a run ended and what the limits allow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_never

from queuectl.errors import AttemptsExceeded, JobFailed
from queuectl.jobs.limits import Limits
from queuectl.jobs.outcome import Done, Ending, Failed, FailedRecord, Outcome, Problem, Release, Report
from queuectl.jobs.problem import problem
from queuectl.runner.attempt import Attempt


def judge(report: Report, attempt: Attempt, limits: Limits, *, now: float, exceptions: int = 0) -> Outcome:
    """What the store is told after this ending.

    *exceptions*: how often this job has raised so far, this time included; matters under `max_exceptions` only.
    An UNKNOWN job has no outcome of its own (the worker parks it): `ValueError`.
    """
    match report.ending:
        case Ending.FINISHED:
            return Done()
        case Ending.RELEASED:
            return Release(report.after, spared=report.spared)
        case Ending.INTERRUPTED:
            return Release(0, spared=True)
        case Ending.FAILED | Ending.REFUSED:
            return _failed(report, attempt, now)
        case Ending.RAISED | Ending.TIMED_OUT | Ending.DIED:
            if _was_the_last(report.ending, attempt, limits, now=now, exceptions=exceptions):
                return _failed(report, attempt, now)
            return Release(limits.pause_after(attempt.attempts))
        case Ending.UNKNOWN:
            raise ValueError("An unknown job is parked, not judged.")
        case _ as never:
            assert_never(never)


def refuse_late(attempt: Attempt, limits: Limits, now: float) -> Failed | None:
    """The failure of a job whose attempts or time were used up before this attempt; None if it may start."""
    if not limits.used_up_before(attempt.attempts, now):
        return None
    return Failed(record(attempt, problem(AttemptsExceeded, _why_too_late(attempt, limits)), now))


def record(attempt: Attempt, why: Problem, now: float) -> FailedRecord:
    """What the failed store keeps of this attempt."""
    return FailedRecord(
        uuid=attempt.uuid,
        connection=attempt.connection,
        queue=attempt.queue,
        payload=attempt.payload,
        job=attempt.job,
        attempts=attempt.attempts,
        problem=why,
        failed_at=now,
    )


def _was_the_last(ending: Ending, attempt: Attempt, limits: Limits, *, now: float, exceptions: int) -> bool:
    if ending is Ending.TIMED_OUT and limits.fail_on_timeout:
        return True
    if limits.max_exceptions is not None and exceptions >= limits.max_exceptions:
        return True
    return limits.used_up_after(attempt.attempts, now)


def _failed(report: Report, attempt: Attempt, now: float) -> Failed:
    why = report.problem or problem(JobFailed, f"{attempt.job or 'The job'} failed without giving a reason.")
    return Failed(record(attempt, why, now))


def _why_too_late(attempt: Attempt, limits: Limits) -> str:
    if limits.retry_until is not None:
        until = datetime.fromtimestamp(limits.retry_until, UTC).isoformat(" ", "seconds")
        return f"{attempt.job} was to be tried until {until}; that time has passed."
    return (
        f"{attempt.job} has been attempted too many times: this would be attempt {attempt.attempts} of {limits.tries}."
    )
