"""What is killed comes back, once; what lives is left alone."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, lives, until


@pytest.mark.fault("F1")
def test_only_the_job_of_a_killed_child_runs_again(store: str, make_project: MakeProject) -> None:
    """SIGKILL to a child in mid-job: that job starts again long before its lease ends, its neighbour is not touched."""
    project = make_project(store, retry_after=600)
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=2)
    worker = project.work("--workers=2", "--tries=3")
    until(lambda: len(project.events()) == 2, "both jobs to start")
    victim = project.starts("k0")[0]
    os.kill(victim["pid"], signal.SIGKILL)
    again = until(lambda: project.starts("k0")[1:], "the second attempt")[0]
    assert again["attempt"] == 2
    (project.folder / "open").touch()
    until(lambda: project.done().total() == 2, "both jobs to be done")
    assert [event["attempt"] for event in project.starts("k1")] == [1]
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


@pytest.mark.fault("F5")
def test_the_jobs_of_a_killed_worker_return_after_the_lease(store: str, make_project: MakeProject) -> None:
    """SIGKILL to the parent: its child dies with it, though it sits in C code, and its job is ready after the lease."""
    project = make_project(store, retry_after=2)
    project.dispatch('Deaf.dispatch(key="k")')
    first = project.work()
    child = until(lambda: project.starts("k"), "the job to start")[0]["pid"]
    second = project.work()
    until(lambda: project.monitor("default")[0]["workers"] == 2, "its successor's sign of life")
    first.signal(signal.SIGKILL)
    died = time.monotonic()
    until(lambda: not lives(child), "its end")
    assert project.starts("k")[1:] == []
    again = until(lambda: project.starts("k")[1:], "the second attempt")[0]
    assert again["attempt"] == 2
    assert again["t"] - died > 1.0
    until(lambda: project.done()["k"] == 1, "the job to be done")
    second.signal(signal.SIGTERM)
    assert second.ends() == 0


@pytest.mark.fault("F11")
def test_a_job_far_longer_than_its_lease_runs_once(store: str, make_project: MakeProject) -> None:
    """Two rivals wait for its lease to slip, and it keeps the interpreter's lock: no thread beside it could renew."""
    project = make_project(store, retry_after=2)
    project.dispatch('Deaf.dispatch(key="k", seconds=4.5)')
    workers = [project.work("--tries=3") for _ in range(3)]
    until(lambda: project.done()["k"], "the job to be done")
    for worker in workers:
        worker.signal(signal.SIGTERM)
    assert [worker.ends() for worker in workers] == [0, 0, 0]
    assert len(project.starts("k")) == 1
    assert project.failed() == []


@pytest.mark.fault("F6")
def test_a_job_that_kills_its_process_ends_in_the_failed_store(project: Project) -> None:
    """After its tries, with a reason a person understands; the jobs around it run."""
    project.dispatch(
        'Ledger.dispatch(key="before"); Poison.dispatch(key="kill", how="kill");'
        'Poison.dispatch(key="exit", how="exit"); Ledger.dispatch(key="after")'
    )
    project.drain("--tries=2")
    assert [len(project.starts(how)) for how in ("kill", "exit")] == [2, 2]
    assert project.done() == {"before": 1, "after": 1}
    shown = [project.cli("failed:show", failed["id"]).stdout for failed in project.failed()]
    for reason in ("signal 9 (SIGKILL)", "exited with code 0 in mid-job"):
        assert len([text for text in shown if reason in text and "peak memory" in text]) == 1
    assert sorted(event["key"] for event in project.events() if event["ev"] == "failed") == ["exit", "kill"]


@pytest.mark.fault("F10")
def test_a_child_that_grew_too_large_is_replaced_after_its_job(project: Project) -> None:
    """Its memory goes back to the machine; the worker goes on."""
    project.dispatch('Greedy.dispatch(key=f"g{n}", megabytes=60, seconds=0.25)', times=4)
    project.drain("--memory=128")
    assert project.done() == {f"g{n}": 1 for n in range(4)}
    assert len({event["pid"] for event in project.events()}) == 2
