"""How attempts, reports and problems travel in frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from queuectl.jobs.outcome import Ending, Problem, Report
from queuectl.runner import Attempt
from queuectl.worker.frames import Frame, Kind, pack, to_head

_FINISHED = Report(Ending.FINISHED)


def pack_run(key: int, attempt: Attempt, timeout: float) -> bytes:
    return pack(Kind.RUN, key, to_head({"timeout": timeout, "attempt": _attempt_to_json(attempt)}), attempt.payload)


def pack_failed(key: int, attempt: Attempt, why: Problem | None) -> bytes:
    head = {"attempt": _attempt_to_json(attempt), "problem": why and problem_to_json(why)}
    return pack(Kind.FAILED, key, to_head(head), attempt.payload)


def pack_report(key: int, report: Report) -> bytes:
    """An empty head where there is nothing to tell: a job that finished."""
    if report.ending is Ending.FINISHED:
        return pack(Kind.REPORT, key)
    why = report.problem and problem_to_json(report.problem)
    return pack(Kind.REPORT, key, to_head({"ending": report.ending.value, "after": report.after, "problem": why}))


def pack_hooked(key: int, why: Problem | None) -> bytes:
    return pack(Kind.HOOKED, key, to_head({"problem": why and problem_to_json(why)}))


def attempt_from(frame: Frame, facts: Mapping[str, Any]) -> Attempt:
    return Attempt(payload=frame.body, **facts["attempt"])


def report_from(frame: Frame) -> Report:
    if not frame.head:
        return _FINISHED
    facts = frame.facts
    why = facts["problem"] and problem_from_json(facts["problem"])
    return Report(Ending(facts["ending"]), facts["after"], why)


def problem_to_json(problem: Problem) -> dict[str, str]:
    return {"type": problem.type, "message": problem.message, "text": problem.text}


def problem_from_json(found: Mapping[str, str]) -> Problem:
    return Problem(found["type"], found["message"], found["text"])


def _attempt_to_json(attempt: Attempt) -> dict[str, Any]:
    """Everything of an attempt but its payload, which is the frame's body."""
    return {
        "connection": attempt.connection,
        "queue": attempt.queue,
        "uuid": attempt.uuid,
        "job": attempt.job,
        "attempts": attempt.attempts,
    }
