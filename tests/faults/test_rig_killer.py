"""What a killer's ledger proves, and what it does not excuse."""

from __future__ import annotations

import json
from typing import Any

from tests.faults.rig.checker import History, examine
from tests.faults.rig.killer import Kill, speechless, unacknowledged


def start(key: str, pid: int, at: float, attempt: int = 1) -> dict[str, Any]:
    return {"ev": "start", "key": key, "pid": pid, "t": at, "attempt": attempt, "uuid": f"uuid of {key}"}


def done(key: str, pid: int, at: float) -> dict[str, Any]:
    return {"ev": "done", "key": key, "pid": pid, "t": at}


FIRST_RUN = [start("a", 1, 1.0), done("a", 1, 1.1)]


def test_an_effect_that_nobody_heard_of_is_named() -> None:
    """It was the last thing its process did, and the job was started again."""
    events = [*FIRST_RUN, start("a", 2, 3.0, 2), done("a", 2, 3.1)]
    assert unacknowledged(events, [Kill(1, 1.15)]) == {"a"}


def test_a_second_run_without_a_kill_is_not_excused() -> None:
    """Nor one after a kill of somebody else, or of the same process in its next job."""
    again = [start("a", 2, 5.0, 2), done("a", 2, 5.1)]
    assert unacknowledged([*FIRST_RUN, *again], []) == set()
    assert unacknowledged([*FIRST_RUN, *again], [Kill(2, 5.05)]) == set()
    assert unacknowledged([*FIRST_RUN, start("b", 1, 1.2), *again], [Kill(1, 1.3)]) == set()


def test_an_acknowledged_job_is_not_named() -> None:
    """Its process was killed afterwards, and it never ran again; another process has its number later."""
    assert unacknowledged([*FIRST_RUN, start("c", 1, 9.0), done("c", 1, 9.1)], [Kill(1, 1.2)]) == set()


def test_an_attempt_without_a_word_is_excused_by_its_worker_only() -> None:
    """Which says of which job, and of which attempt."""
    events = [start("a", 2, 3.0, 2), done("a", 2, 3.1)]
    found = examine(History({"a"}, {"a"}, events, {}))
    told = {"uuid": "uuid of a", "exception": "queuectl.errors.WorkerDied"}
    assert speechless(found, events, [json.dumps({**told, "attempts": 1})]) == {"a"}
    assert speechless(found, events, [json.dumps({**told, "attempts": 2})]) == set()
    assert speechless(found, events, []) == set()


def test_two_starts_of_one_number_are_never_excused() -> None:
    """That is a wrong count."""
    events = [start("a", 1, 1.0, 2), start("a", 2, 3.0, 2)]
    told = {"uuid": "uuid of a", "exception": "queuectl.errors.WorkerDied", "attempts": 1}
    assert speechless(examine(History({"a"}, {"a"}, events, {})), events, [json.dumps(told)]) == set()
