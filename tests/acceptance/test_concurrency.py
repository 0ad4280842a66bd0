"""Several jobs at once in one child: each has its own run, and its own end."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from queuectl.jobs.payload import encode, new_uuid
from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, lives, until

AT_ONCE = "--concurrency=8"


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    return make_project("sqlite")


@pytest.mark.parametrize("job", ["Together", "TogetherAsync"])
def test_as_many_run_at_once_as_it_says(project: Project, job: str) -> None:
    """Eight wait for each other, in threads of one process or on one event loop; a ninth waits for a place."""
    project.dispatch(f'{job}.dispatch(key=f"k{{n}}", many=8)', times=9)
    project.drain(AT_ONCE)
    events = project.events()
    assert len({event["pid"] for event in events}) == 1
    assert [event["ev"] for event in events[:8]] == ["start"] * 8
    assert len({event["thread"] for event in events if event["ev"] == "start"}) == (8 if job == "Together" else 1)
    assert project.done() == {f"k{number}": 1 for number in range(9)}


def test_plain_jobs_and_coroutines_wait_for_each_other(project: Project) -> None:
    """Neither kind keeps the other from running."""
    project.dispatch('(Together if n % 2 else TogetherAsync).dispatch(key=f"k{n}", many=6)', times=6)
    project.drain(AT_ONCE)
    assert project.done().total() == 6


def test_each_run_has_its_own_wishes(project: Project) -> None:
    """What one asks for, another does not get: released, failed, finished, raised, side by side."""
    project.dispatch('Wishing.dispatch(key=f"w{n}", wish="release")', times=3)
    project.dispatch('Wishing.dispatch(key=f"f{n}", wish="fail")', times=3)
    project.dispatch('Failing.dispatch(key=f"x{n}")', times=3)
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=3)
    project.drain(AT_ONCE)
    assert project.done() == dict.fromkeys([f"{kind}{number}" for kind in "wk" for number in range(3)], 1)
    assert sorted(row["job"] for row in project.failed()) == ["Failing"] * 3 + ["Wishing"] * 3
    hooks = [event["key"] for event in project.events() if event["ev"] == "failed"]
    assert sorted(hooks) == ["x0", "x1", "x2"]


@pytest.mark.fault("F1", "F13")
def test_whoever_kills_the_common_process_is_found_out(project: Project) -> None:
    """Nobody knows which of several it was: each runs again alone, and only the killer pays with attempts."""
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=4)
    worker = project.work(AT_ONCE, "--tries=2")
    until(lambda: len(project.events()) == 4, "the others to start")
    project.dispatch('Poison.dispatch(key="poison")')
    until(lambda: len(project.starts("poison")) == 1, "the poison to start")
    (project.folder / "open").touch()
    until(lambda: project.failed(), "the poison to be given up")
    until(lambda: project.done().total() == 4, "the others to be done")
    assert [event["attempt"] for event in project.starts("poison")] == [1, 1, 2]
    for number in range(4):
        assert {event["attempt"] for event in project.starts(f"k{number}")} == {1}
    assert "each runs again, alone" in worker.output()
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


@pytest.mark.fault("F8")
def test_a_coroutine_that_is_late_is_cancelled_and_its_neighbours_end_in_peace(project: Project) -> None:
    """Its process takes nothing more, lets them finish, and is replaced meanwhile."""
    project.dispatch('Napping.dispatch(key="late", seconds=60)')
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=2)
    worker = project.work(AT_ONCE)
    until(lambda: project.failed(), "the late one to fail")
    project.dispatch('Napping.dispatch(key="next")')
    until(lambda: project.done()["next"], "another one to be done")
    assert project.starts("next")[0]["pid"] != project.starts("late")[0]["pid"]
    (project.folder / "open").touch()
    until(lambda: project.done().total() == 3, "its neighbours to be done")
    assert [event["attempt"] for number in range(2) for event in project.starts(f"k{number}")] == [1, 1]
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


@pytest.mark.fault("F8")
def test_a_thread_that_is_late_costs_its_process_and_no_other_job_an_attempt(project: Project) -> None:
    """A thread cannot be interrupted: its process is killed, and the neighbours run again with the same number."""
    project.dispatch('Stubborn.dispatch(key="late", how="lock")')
    worker = project.work(AT_ONCE, "--kill-after=0.5", "--tries=1")
    until(lambda: project.starts("late"), "the late one to start")
    project.dispatch('Gate.dispatch(key="k0")')
    [failed] = until(lambda: project.failed(), "the late one to fail")
    assert "timeout" in failed["message"]
    (project.folder / "open").touch()
    until(lambda: project.done()["k0"], "its neighbour to be done")
    assert {event["attempt"] for event in project.starts("k0")} == {1}
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


@pytest.mark.parametrize("job", ["Unmakeable", "UnmakeableAsync"])
def test_what_escapes_from_a_job_that_cannot_be_made_ends_its_process(project: Project, job: str) -> None:
    """And nobody waits for it in vain: it fails after its tries, and its neighbours are done, twice only where their
    process died with their effect there and the report not sent."""
    project.push_raw(encode(job=job, arguments='{"key": "k"}', uuid=new_uuid(), tries=2, timeout=0))
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=4)
    project.drain(AT_ONCE)
    assert [row["job"] for row in project.failed()] == [job]
    ended = {event["pid"] for event in project.starts("k")}
    done = [event for event in project.events() if event["ev"] == "done"]
    assert {event["key"] for event in done} == {f"k{number}" for number in range(4)}
    outlived = Counter(event["key"] for event in done if event["pid"] not in ended)
    assert all(count == 1 for count in outlived.values())


def test_a_stop_lets_all_of_them_finish(project: Project) -> None:
    """TERM: those that run end, those that wait stay in the queue."""
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=12)
    worker = project.work(AT_ONCE)
    until(lambda: len(project.events()) == 8, "eight to start")
    worker.signal(signal.SIGTERM)
    (project.folder / "open").touch()
    assert worker.ends() == 0
    assert project.done().total() == 8
    assert project.monitor("default")[0]["pending"] == 4


@pytest.mark.fault("F6")
def test_a_grace_that_is_over_gives_all_of_them_back(project: Project) -> None:
    """Unharmed: the next attempt has the same number."""
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=8)
    worker = project.work(AT_ONCE, "--grace=0.2")
    until(lambda: len(project.events()) == 8, "all to start")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    (project.folder / "open").touch()
    project.drain(AT_ONCE)
    assert project.done() == {f"k{number}": 1 for number in range(8)}
    assert {event["attempt"] for number in range(8) for event in project.starts(f"k{number}")} == {1}


def test_no_more_are_taken_than_asked_for(project: Project) -> None:
    """`--max-jobs` and `--once` count jobs, not rounds."""
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=12)
    project.cli("work", AT_ONCE, "--max-jobs=9")
    assert project.done().total() == 9
    project.cli("work", AT_ONCE, "--once")
    assert project.done().total() == 10


@pytest.mark.fault("F5")
def test_the_jobs_of_a_killed_worker_all_return(store: str, make_project: MakeProject) -> None:
    """SIGKILL to the parent with eight in flight: after the lease each runs again, once, on every store."""
    project = make_project(store, retry_after=2)
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=8)
    worker = project.work(AT_ONCE)
    until(lambda: len(project.events()) == 8, "all to start")
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: not lives(project.events()[0]["pid"]), "its child's end")
    (project.folder / "open").touch()
    again = project.work(AT_ONCE)
    until(lambda: project.done().total() == 8, "all to be done")
    assert [len(project.starts(f"k{number}")) for number in range(8)] == [2] * 8
    again.signal(signal.SIGTERM)
    assert again.ends() == 0
