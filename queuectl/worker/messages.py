"""How attempts, reports and problems travel in frames.

What goes to the child for each job is lines of text, which cost a fraction of what JSON does; what comes back is JSON,
for a job can write into the line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from queuectl.jobs.outcome import Ending, Problem, Report
from queuectl.runner import Attempt
from queuectl.worker.frames import Frame, Kind, pack, to_head

_FINISHED = Report(Ending.FINISHED)


def pack_run(key: int, attempt: Attempt, timeout: float) -> bytes:
    return pack(Kind.RUN, key, f"{timeout!r}\n{_words(attempt)}".encode(), attempt.payload)


def pack_failed(key: int, attempt: Attempt, why: Problem | None) -> bytes:
    problem = json.dumps(why and problem_to_json(why))  # in one line
    return pack(Kind.FAILED, key, f"{problem}\n{_words(attempt)}".encode(), attempt.payload)


def run_from(frame: Frame) -> tuple[Attempt, float]:
    """The attempt, and its time limit."""
    timeout, attempt = _read(frame)
    return attempt, float(timeout)


def failed_from(frame: Frame) -> tuple[Attempt, Problem]:
    """The attempt that failed for good, and why."""
    problem, attempt = _read(frame)
    return attempt, problem_from_json(json.loads(problem))


def pack_report(key: int, report: Report) -> bytes:
    """An empty head where there is nothing to tell: a job that finished."""
    if report.ending is Ending.FINISHED and not report.joined:
        return pack(Kind.REPORT, key)
    why = report.problem and problem_to_json(report.problem)
    told = {
        "ending": report.ending.value,
        "after": report.after,
        "problem": why,
        "spared": report.spared,
        "joined": report.joined,
    }
    return pack(Kind.REPORT, key, to_head(told))


def pack_hooked(key: int, why: Problem | None) -> bytes:
    return pack(Kind.HOOKED, key, to_head({"problem": why and problem_to_json(why)}))


def report_from(frame: Frame) -> Report:
    if not frame.head:
        return _FINISHED
    facts = frame.facts
    why = facts["problem"] and problem_from_json(facts["problem"])
    return Report(Ending(facts["ending"]), facts["after"], why, facts["spared"], facts["joined"])


def problem_to_json(problem: Problem) -> dict[str, str]:
    return {"type": problem.type, "message": problem.message, "text": problem.text, "place": problem.place}


def problem_from_json(found: Mapping[str, str]) -> Problem:
    return Problem(found["type"], found["message"], found["text"], found["place"])


def _words(attempt: Attempt) -> str:
    """Everything of an attempt but its payload, which is the frame's body. None of it can hold the end of a line."""
    return (
        f"{attempt.connection}\n{attempt.queue}\n{attempt.uuid}\n{attempt.job}\n{attempt.attempts}\n"
        f"{attempt.receipt or ''}"
    )


def _read(frame: Frame) -> tuple[str, Attempt]:
    first, connection, queue, uuid, job, attempts, receipt = frame.head.decode().split("\n")
    return first, Attempt(connection, queue, frame.body, uuid, job, int(attempts), receipt)
