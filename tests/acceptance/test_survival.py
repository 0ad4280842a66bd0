"""What is killed comes back, once; what lives is left alone."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, until


def test_only_the_job_of_a_killed_child_runs_again(project: Project) -> None:
    """SIGKILL to a child in mid-job: that job starts again at once as attempt 2, its neighbour is not touched."""
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=2)
    worker = project.work("--workers=2", "--tries=3")
    until(lambda: len(project.events()) == 2, "both jobs to start")
    victim = project.starts("k0")[0]
    os.kill(victim["pid"], signal.SIGKILL)
    died = time.monotonic()
    again = until(lambda: project.starts("k0")[1:], "the second attempt")[0]
    assert again["attempt"] == 2
    assert again["t"] - died < 1.0
    (project.folder / "open").touch()
    until(lambda: project.done().total() == 2, "both jobs to be done")
    assert [event["attempt"] for event in project.starts("k1")] == [1]
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


def test_the_jobs_of_a_killed_worker_return_after_the_lease(store: str, make_project: MakeProject) -> None:
    """SIGKILL to the parent: its children die with it, and the job is ready again within the lease and a second."""
    project = make_project(store, retry_after=2)
    project.dispatch('Gate.dispatch(key="k")')
    first = project.work()
    until(lambda: project.starts("k"), "the job to start")
    child = project.starts("k")[0]["pid"]
    second = project.work()
    first.signal(signal.SIGKILL)
    died = time.monotonic()
    again = until(lambda: project.starts("k")[1:], "the second attempt")[0]
    assert again["attempt"] == 2
    assert 1.0 < again["t"] - died < 3.0
    assert not Path(f"/proc/{child}").exists() or _is_zombie(child)
    until(lambda: project.done()["k"] == 1, "the job to be done")
    second.signal(signal.SIGTERM)
    assert second.ends() == 0


def test_a_job_far_longer_than_its_lease_runs_once(store: str, make_project: MakeProject) -> None:
    """Three leases long, with a rival waiting for it to slip."""
    _runs_once('Ledger.dispatch(key="k", seconds=6.5)', make_project(store, retry_after=2))


@pytest.mark.parametrize("store", ["sqlite", "valkey"])
def test_a_job_that_holds_the_interpreters_lock_keeps_its_lease(store: str, make_project: MakeProject) -> None:
    """Three leases long in C code, where no thread of its process could renew anything."""
    _runs_once('Hog.dispatch(key="k", seconds=6.5)', make_project(store, retry_after=2))


def _runs_once(job: str, project: Project) -> None:
    project.dispatch(job)
    workers = [project.work("--tries=3"), project.work("--tries=3")]
    until(lambda: project.done()["k"], "the job to be done")
    for worker in workers:
        worker.signal(signal.SIGTERM)
    assert [worker.ends() for worker in workers] == [0, 0]
    assert len(project.starts("k")) == 1
    assert project.failed() == []


@pytest.mark.parametrize("how", ["kill", "exit"])
def test_a_job_that_kills_its_process_ends_in_the_failed_store(store: str, how: str, make_project: MakeProject) -> None:
    """After its tries, with a reason a person understands; the jobs around it run."""
    project = make_project(store)
    project.dispatch(
        f'Ledger.dispatch(key="before"); Poison.dispatch(key="p", how="{how}"); Ledger.dispatch(key="after")'
    )
    project.drain("--tries=2")
    assert len(project.starts("p")) == 2
    assert project.done() == {"before": 1, "after": 1}
    [failed] = project.failed()
    shown = project.cli("failed:show", failed["id"]).stdout
    assert ("signal 9 (SIGKILL)" if how == "kill" else "exited with code 0 in mid-job") in shown
    assert "peak memory" in shown
    assert [event["key"] for event in project.events() if event["ev"] == "failed"] == ["p"]


@pytest.mark.parametrize("in_c", [False, True])
def test_a_job_that_reaches_its_timeout_is_stopped(in_c: bool, make_project: MakeProject) -> None:
    """By an exception where Python listens, by a kill where it does not; either way it fails and the next job runs."""
    project = make_project("sqlite")
    project.dispatch(f'Stubborn.dispatch(key="s", in_c={in_c}); Ledger.dispatch(key="next")')
    project.drain("--kill-after=1")
    [failed] = project.failed()
    assert "JobTimeout" in failed["error"] or "TimedOut" in failed["error"]
    assert project.done() == {"next": 1}


def test_a_child_that_grew_too_large_is_replaced_after_its_job(make_project: MakeProject) -> None:
    """Its memory goes back to the machine; the worker goes on."""
    project = make_project("sqlite")
    project.dispatch('Greedy.dispatch(key=f"g{n}", megabytes=150)', times=2)
    project.drain("--memory=128")
    assert project.done() == {"g0": 1, "g1": 1}
    assert len({event["pid"] for event in project.events()}) == 2


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
