"""What the soak excuses and what it does not, and how it measures."""

from __future__ import annotations

import pytest

from tests.faults.rig.gauges import slope
from tests.faults.rig.gremlin import Harm, Mischief
from tests.faults.rig.judge import may_double, recoveries, runs

STRUCK, OTHER = 11, 22
"""Processes."""


def event(ev: str, key: str, t: float, pid: int = STRUCK) -> dict[str, object]:
    return {"ev": ev, "key": key, "t": t, "pid": pid}


HISTORY = runs(
    [
        *(event("start", "before", 10), event("done", "before", 11)),
        *(event("start", "just", 95), event("done", "just", 96)),
        *(event("start", "during", 99), event("start", "other", 99, OTHER), event("done", "other", 101, OTHER)),
        *(event("start", "wk", 99), event("start", "during", 103, OTHER), event("done", "during", 104, OTHER)),
        *(event("start", "after", 105), event("done", "after", 106)),
    ]
)
KILL = Mischief("worker killed", 100, 100.1, Harm(frozenset({STRUCK})))


def test_only_who_ran_in_a_struck_process_may_be_done_twice() -> None:
    """Or had run there so recently that its outcome may not have been told; what is to fail has no effect to double."""
    assert may_double(HISTORY, [KILL]) == {"just", "during"}
    assert may_double(HISTORY, []) == set()


def test_a_store_that_forgets_excuses_what_was_done_of_late() -> None:
    """In any process, but not what started when all was over."""
    crash = Mischief("server killed", 100, 102, Harm(memory=2))
    assert may_double(HISTORY, [crash]) == {"just", "during", "other"}


@pytest.mark.parametrize(
    ("deed", "seconds"),
    [
        (KILL, {"worker killed": [3.0]}),
        (Mischief("server frozen", 90, 98.5, Harm()), {"server frozen": [0.5]}),
        (Mischief("server frozen", 200, 201, Harm()), {}),
        (Mischief("child killed", 50, 50, Harm(frozenset({STRUCK}))), {}),
    ],
)
def test_recovery_ends_when_what_was_interrupted_runs_again(deed: Mischief, seconds: dict[str, list[float]]) -> None:
    """From the blow to a worker, or from the end of an outage; not measured where nothing was interrupted."""
    assert recoveries(HISTORY, [deed]) == seconds


def test_a_slope_is_that_of_the_nearest_line() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert slope([(0, 1), (1, 2), (2, 1)]) == pytest.approx(0)
    assert slope([(3, 1)]) == 0
