"""Jobs that do not end: stopped where they hear it, killed where they do not, and the place is on record."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from queuectl.jobs.definition import Job
from queuectl.jobs.outcome import Ending
from queuectl.jobs.payload import encode
from queuectl.jobs.registry import Registry
from queuectl.runner import Attempt, Runner
from queuectl.worker.alarm import Alarm
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.checker import examine
from tests.faults.rig.records import records

SPREAD = 0.002
"""Seconds before and after its deadline within which a punctual job ends."""


@pytest.mark.fault("F8")
def test_a_job_that_does_not_end_is_ended_and_shows_where_it_was(arena: Arena) -> None:
    """In Python that swallows the exception and in C that never hears it; it has its tries, and others go on."""
    arena.put(job("swallow", "Strict", how="swallow"), job("lock", "Stubborn", how="lock"))
    arena.put(*(job(f"k{number}", queue="other") for number in range(20)))
    arena.project.drain("--queue=default,other", "--workers=2", "--tries=2", "--kill-after=0.2")
    arena.check()
    starts = Counter(event["key"] for event in arena.project.events() if event["ev"] == "start")
    assert starts == {"swallow": 1, "lock": 2, **{f"k{number}": 1 for number in range(20)}}
    failed = records(arena)
    assert failed.keys() == {"swallow", "lock"}
    for key, record in failed.items():
        assert record.error == "queuectl.errors.TimedOut"
        assert "timeout of 1 s" in record.message
        assert f"in _{key}" in record.text


@pytest.mark.fault("F8")
@pytest.mark.parametrize("store", ["sqlite"])
def test_no_kind_of_endless_computation_outlives_its_limit(arena: Arena) -> None:
    """An adder, a digest, a pattern that never decides: a worker goes on to the next job."""
    computations = ("sum", "hash", "match")
    arena.put(*(job(how, "Stubborn", how=how) for how in computations), job("next"))
    arena.project.drain("--kill-after=0.2")
    arena.check()
    assert arena.done() == {"next"}
    assert {record.error for record in records(arena).values()} == {"queuectl.errors.TimedOut"}
    assert all("hard_jobs.py" in record.text for record in records(arena).values())


@pytest.mark.fault("F8")
@pytest.mark.parametrize("store", ["sqlite"])
def test_the_limit_of_a_job_that_ended_in_time_strikes_nobody(arena: Arena) -> None:
    """Not the next one, and not the child while it waits."""
    arena.put(*(job(f"k{number}", "Punctual", offset=-0.4) for number in range(4)))
    arena.project.cli("work", "--stop-when-empty-for=1.5", "--sleep=0.1")
    arena.check()
    assert arena.done() == {f"k{number}" for number in range(4)}
    assert len({event["pid"] for event in arena.project.events()}) == 1


class Exact(Job):
    """Ends so many seconds after its alarm rings, or before."""

    offset: float

    def handle(self) -> None:
        end = time.monotonic() + signal.getitimer(signal.ITIMER_REAL)[0] + self.offset
        while time.monotonic() < end:
            pass
        EFFECTS.append(self.offset)


EFFECTS: list[float] = []


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    former = signal.getsignal(signal.SIGALRM)
    alarm = Alarm()
    alarm.install()
    yield alarm
    signal.signal(signal.SIGALRM, former)


@pytest.mark.fault("F9")
def test_a_limit_that_strikes_at_the_end_strikes_inside_the_job_or_not_at_all(alarm: Alarm) -> None:
    """Every run comes back with one ending, and what is finished has had its effect."""
    registry = Registry()
    registry.add(Exact)
    runner, endings = Runner(registry), set()
    for offset in _offsets(300):
        payload = encode(job="Exact", arguments=json.dumps({"offset": offset}), uuid=f"{offset}")
        EFFECTS.clear()
        report = runner.run(Attempt("c", "q", payload, f"{offset}", "Exact", 1), timeout=0.005, alarm=alarm)
        assert report.ending in (Ending.FINISHED, Ending.TIMED_OUT)
        assert report.ending is Ending.TIMED_OUT or [offset] == EFFECTS
        endings.add(report.ending)
    assert endings == {Ending.FINISHED, Ending.TIMED_OUT}


@pytest.mark.fault("F9")
@pytest.mark.parametrize("store", ["sqlite"])
def test_a_job_that_ends_with_its_limit_has_one_outcome(arena: Arena) -> None:
    """Done or failed, as the worker says."""
    _punctual_jobs(arena, 12, workers=4)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.fault("F9")
def test_hundreds_of_jobs_that_end_with_their_limit_have_one_outcome_each(store: str, make_arena: MakeArena) -> None:
    """However many end in one moment."""
    _punctual_jobs(make_arena(store), 300, workers=12)


def _punctual_jobs(arena: Arena, count: int, workers: int) -> None:
    """An alarm may strike between a job's effect and its return: that job is done, and failed. No other one is both."""
    keys = {f"k{offset}": offset for offset in _offsets(count)}
    arena.put(*(job(key, "Punctual", offset=offset) for key, offset in keys.items()))
    worker = arena.project.work("--stop-when-empty", "--json", f"--workers={workers}")
    assert worker.ends(patience=60 + 5 * count) == 0
    outcomes = defaultdict(list)
    for line in map(json.loads, worker.output().splitlines()):
        if line["status"] != "starting":
            outcomes[line["uuid"]].append(line["status"])
    failed = records(arena)
    assert len(outcomes) == count
    assert all(len(told) == 1 for told in outcomes.values())
    assert {record.uuid for record in failed.values()} == {key for key, told in outcomes.items() if told == ["failed"]}
    assert {record.error for record in failed.values()} == {"queuectl.errors.TimedOut"}
    assert all('hard_jobs.py", line' in record.text for record in failed.values())
    found = examine(arena.history())
    assert (found.lost, found.unexpected, found.doubled, found.miscounted) == (frozenset(), frozenset(), {}, {})
    assert set(keys) - failed.keys() <= arena.done()
    assert found.misplaced.keys() == arena.done() & failed.keys()


def _offsets(count: int) -> list[float]:
    return [round(SPREAD * (2 * number / count - 1), 6) for number in range(count)]
