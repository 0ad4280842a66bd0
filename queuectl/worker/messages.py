"""How attempts, reports and problems travel in frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from queuectl.jobs.outcome import Ending, Problem, Report
from queuectl.runner import Attempt
from queuectl.worker.frames import Frame


def attempt_to_json(attempt: Attempt) -> dict[str, Any]:
    """Everything of an attempt but its payload, which is the frame's body."""
    return {
        "connection": attempt.connection,
        "queue": attempt.queue,
        "uuid": attempt.uuid,
        "job": attempt.job,
        "attempts": attempt.attempts,
    }


def attempt_from(frame: Frame) -> Attempt:
    return Attempt(payload=frame.body, **frame.head["attempt"])


def report_to_json(report: Report) -> dict[str, Any]:
    problem = report.problem and problem_to_json(report.problem)
    return {"ending": report.ending.value, "after": report.after, "problem": problem}


def problem_to_json(problem: Problem) -> dict[str, str]:
    return {"type": problem.type, "message": problem.message, "text": problem.text}


def problem_from_json(found: Mapping[str, str]) -> Problem:
    return Problem(found["type"], found["message"], found["text"])


def report_from_json(found: Mapping[str, Any]) -> Report:
    problem = found["problem"] and problem_from_json(found["problem"])
    return Report(Ending(found["ending"]), found["after"], problem)
