"""A worker stops when asked, keeps what it runs, and says why with its exit code."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, until


@pytest.mark.fault("F14")
def test_an_idle_worker_stops_at_once(project: Project) -> None:
    """TERM while it waits for work, however long it would have: gone, exit 0."""
    worker = project.work("--sleep=600")
    until(lambda: project.monitor("default")[0]["workers"], "the worker's sign of life")
    until(lambda: worker.children(), "its child")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    assert project.monitor("default")[0]["workers"] == 0


@pytest.mark.fault("F14")
def test_a_running_job_is_finished_first(project: Project) -> None:
    """TERM in mid-job, however often: the job is done, the next one is not started, exit 0."""
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=2)
    worker = project.work()
    until(lambda: project.starts("k0"), "the job to start")
    for _ in range(5):
        worker.signal(signal.SIGTERM)
    (project.folder / "open").touch()
    assert worker.ends() == 0
    assert project.done() == {"k0": 1}
    [queue] = project.monitor("default")
    assert (queue["pending"], queue["reserved"]) == (1, 0)


@pytest.mark.fault("F14")
def test_the_grace_is_bounded_when_asked(project: Project) -> None:
    """With `--grace` the job goes back at once, and the interruption is not held against it."""
    project.dispatch('Gate.dispatch(key="k")')
    worker = project.work("--grace=0.2")
    until(lambda: project.starts("k"), "the job to start")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    [queue] = project.monitor("default")
    assert (queue["pending"], queue["reserved"]) == (1, 0)
    (project.folder / "open").touch()
    project.drain()
    assert [event["attempt"] for event in project.starts("k")] == [1, 1]


@pytest.mark.fault("F14")
def test_a_second_interrupt_is_immediate(make_project: MakeProject) -> None:
    """The first Ctrl-C finishes the job, the second gives it back and exits 130."""
    project = make_project("sqlite")
    project.dispatch('Gate.dispatch(key="k")')
    worker = project.work()
    until(lambda: project.starts("k"), "the job to start")
    worker.signal(signal.SIGINT)
    until(lambda: not _pending_signal(worker.pid, signal.SIGINT), "the first to be taken: two at once are one")
    worker.signal(signal.SIGINT)
    assert worker.ends() == 130
    assert project.monitor("default")[0]["pending"] == 1


@pytest.mark.fault("F15")
def test_restart_is_heard_by_running_workers_only(project: Project) -> None:
    """`restart` stops a worker that runs, with 0; one started afterwards is not concerned."""
    worker = project.work()
    until(lambda: project.monitor("default")[0]["workers"], "the worker's sign of life")
    project.cli("restart")
    assert worker.ends() == 0
    assert project.drain().returncode == 0


def test_a_paused_queue_is_left_alone(project: Project) -> None:
    """Its neighbours are worked on; after `resume` it is too."""
    project.cli("pause", "slow")
    project.dispatch('Ledger.on_queue("slow").dispatch(key="slow"); Ledger.on_queue("fast").dispatch(key="fast")')
    worker = project.work("--queue=slow,fast")
    until(lambda: project.done()["fast"], "the other queue's job")
    assert project.done()["slow"] == 0
    project.cli("resume", "slow")
    until(lambda: project.done()["slow"], "the resumed queue's job")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


def test_usr2_pauses_and_cont_resumes(make_project: MakeProject) -> None:
    """As artisan's workers."""
    project = make_project("sqlite")
    worker = project.work()
    until(lambda: project.monitor("default")[0]["workers"], "the worker's sign of life")
    worker.signal(signal.SIGUSR2)
    until(lambda: not _pending_signal(worker.pid, signal.SIGUSR2), "the signal to be taken")
    time.sleep(0.2)
    project.dispatch('Ledger.dispatch(key="k")')
    time.sleep(0.5)
    assert project.done().total() == 0
    worker.signal(signal.SIGCONT)
    until(lambda: project.done()["k"], "the job")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


@pytest.mark.fault("F14", "F15")
def test_hup_finishes_and_starts_afresh(make_project: MakeProject) -> None:
    """The same process runs the program again, with new children and new code."""
    project = make_project("sqlite")
    project.dispatch('Gate.dispatch(key="k")')
    worker = project.work()
    first = until(lambda: project.starts("k"), "the job to start")[0]["pid"]
    worker.signal(signal.SIGHUP)
    (project.folder / "open").touch()
    until(lambda: project.done()["k"], "the job to be done")
    project.dispatch('Ledger.dispatch(key="later")')
    later = until(lambda: project.starts("later"), "a job after the restart")[0]["pid"]
    assert later != first
    assert worker.process.poll() is None
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


@pytest.mark.parametrize(
    ("flags", "done"),
    [
        (("--max-jobs=2",), 2),
        (("--once",), 1),
        (("--stop-when-empty",), 5),
        (("--stop-when-empty-for=0.5",), 5),
    ],
)
def test_planned_stops(flags: tuple[str, ...], done: int, make_project: MakeProject) -> None:
    """Each reason to stop leaves with 0 and what it did not do in the queue."""
    project = make_project("sqlite")
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=5)
    project.cli("work", *flags)
    assert project.done().total() == done
    assert project.monitor("default")[0]["size"] == 5 - done


def test_a_limit_of_time_is_a_planned_stop(make_project: MakeProject) -> None:
    """With 0, and with every job either done or still there."""
    project = make_project("sqlite")
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=5)
    project.cli("work", "--max-time=1", "--sleep=0.1")
    assert project.done().total() + project.monitor("default")[0]["size"] == 5


@pytest.mark.fault("F8")
def test_once_obeys_the_timeout(make_project: MakeProject) -> None:
    """A single job is no reason to run without limits."""
    project = make_project("sqlite")
    project.dispatch('Stubborn.dispatch(key="s")')
    project.cli("work", "--once")
    assert len(project.failed()) == 1


@pytest.mark.fault("F33")
def test_application_that_cannot_be_imported_stops_the_worker(make_project: MakeProject) -> None:
    """Exit 78 with the reason, and the jobs stay where they are."""
    project = make_project("sqlite")
    project.dispatch('Ledger.dispatch(key="k")')
    (project.folder / "ledger_jobs.py").write_text("import no_such_module\n")
    stopped = project.cli("work", "--stop-when-empty", code=78)
    assert "no_such_module" in stopped.stderr
    assert project.monitor("default")[0]["pending"] == 1


@pytest.mark.fault("F10")
def test_a_memory_limit_of_the_worker_itself_is_exit_12(make_project: MakeProject) -> None:
    """Artisan's code, so that Supervisor's rules keep their meaning."""
    project = make_project("sqlite")
    project.cli("work", "--memory=5", code=12)


def test_json_lines_are_objects_and_nothing_else(make_project: MakeProject) -> None:
    """What jobs print goes to stderr; stdout is one JSON object a line."""
    project = make_project("sqlite")
    project.dispatch('Ledger.dispatch(key="k"); Wishing.dispatch(key="f", wish="fail"); Failing.dispatch(key="x")')
    lines = [json.loads(line) for line in project.drain("--json").stdout.splitlines()]
    assert [(line["job"], line["status"]) for line in lines if "job" in line] == [
        ("Ledger", "starting"),
        ("Ledger", "success"),
        ("Wishing", "starting"),
        ("Wishing", "failed"),
        ("Failing", "starting"),
        ("Failing", "failed"),
    ]


def _pending_signal(pid: int, number: signal.Signals) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pending = next(line for line in lines if line.startswith("ShdPnd:"))
    return bool(int(pending.split()[1], 16) & (1 << (number - 1)))
