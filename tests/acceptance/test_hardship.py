"""Jobs that misbehave, and the worker's corners: nothing is lost, nothing hangs, nothing spins."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, until

TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def store() -> str:
    """None of this depends on it."""
    return "sqlite"


@pytest.mark.parametrize("how", ["return", "exit", "raise"])
def test_a_forked_process_never_reports_for_its_job(project: Project, how: str) -> None:
    """Neither the job nor its neighbours are settled by it."""
    project.dispatch(f'Forking.dispatch(key="f", how="{how}"); Ledger.dispatch(key="next")')
    project.drain()
    assert project.done() == {"f": 1, "next": 1}
    assert len(project.starts("f")) == 1
    assert project.failed() == []


@pytest.mark.fault("F8")
def test_a_job_cannot_run_from_its_timeout(project: Project) -> None:
    """It leaves its process group, and dies with it."""
    project.dispatch('Deserter.dispatch(key="d")')
    project.drain("--kill-after=0.1")
    [failed] = project.failed()
    assert failed["error"] == "queuectl.errors.TimedOut"
    assert not Path(f"/proc/{project.starts('d')[0]['pid']}").exists()


@pytest.mark.fault("F14")
def test_a_hook_that_would_outlast_the_grace_is_not_waited_for(project: Project) -> None:
    """Its job timed out just before the end, and its child was let go: the record is kept, the worker leaves."""
    project.dispatch('Stubborn.dispatch(key="s")')
    worker = project.work("--grace=1.02")
    until(lambda: project.starts("s"), "the job to start")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


def test_a_hook_does_not_keep_a_broken_application_alive(project: Project) -> None:
    """A deploy broke the imports while the job ran: nobody can call its hook, and the worker says 78."""
    project.dispatch('Stubborn.dispatch(key="s")')
    worker = project.work()
    until(lambda: project.starts("s"), "the job to start")
    (project.folder / "ledger_jobs.py").write_text("import no_such_module\n")
    assert worker.ends() == 78
    assert "hook of Stubborn" in worker.output()
    assert len(project.failed()) == 1


def test_waiting_for_a_child_costs_no_processor_time(project: Project) -> None:
    """A hook is to be called, and every child that could do it is still being started."""
    jobs = project.folder / "ledger_jobs.py"
    project.dispatch('Ledger.dispatch(key="k")')
    worker = project.work()
    until(lambda: project.done()["k"], "a child that works")
    project.dispatch('Gate.dispatch(key="g"); Poison.dispatch(key="p")')
    until(lambda: project.starts("g"), "the gate")
    jobs.write_text(jobs.read_text() + "\nwhile not Path('ready').exists(): time.sleep(0.05)\n")
    (project.folder / "open").touch()
    until(lambda: "FAIL" in worker.output(), "the failure")
    _costs_nothing(worker.pid)
    (project.folder / "ready").touch()
    until(lambda: [event for event in project.events() if event["ev"] == "failed"], "the hook")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


def test_stopping_with_a_child_missing_costs_no_processor_time(project: Project) -> None:
    """The other one still runs its job."""
    project.dispatch('Gate.dispatch(key="g")')
    worker = project.work("--workers=2")
    busy = until(lambda: project.starts("g"), "the job to start")[0]["pid"]
    idle = until(lambda: [pid for pid in worker.children() if pid != busy], "the other child")[0]
    worker.signal(signal.SIGTERM)
    os.kill(idle, signal.SIGKILL)
    until(lambda: idle not in worker.children(), "its end")
    _costs_nothing(worker.pid)
    (project.folder / "open").touch()
    assert worker.ends() == 0


@pytest.mark.parametrize("flags", [("--once", "--sleep=0.1"), ("--stop-when-empty",), ("--stop-when-empty-for=0.1",)])
def test_a_paused_queue_is_as_good_as_an_empty_one(flags: tuple[str, ...], project: Project) -> None:
    """A worker that is to stop at nothing does, and the job stays."""
    project.dispatch('Ledger.dispatch(key="k")')
    project.cli("pause", "default")
    project.cli("work", *flags)
    assert project.monitor("default")[0]["pending"] == 1


def test_a_job_that_goes_back_during_a_rest_is_not_left_behind(project: Project) -> None:
    """The queue was empty when last asked; it is not any more."""
    project.dispatch('Failing.dispatch(key="k")')
    project.drain("--workers=2", "--rest=0.2", "--tries=3")
    assert len(project.starts("k")) == 3


@pytest.mark.fault("F17")
def test_a_small_limit_of_open_files_means_fewer_children(project: Project) -> None:
    """And every job done."""
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=20)
    command = f"ulimit -n 32; exec {sys.executable} -m queuectl work --workers=40 --stop-when-empty"
    done = subprocess.run(
        ["sh", "-c", command], cwd=project.folder, env=project.environment, capture_output=True, text=True, check=True
    )
    assert done.stderr.count("cannot be started") == 1
    assert project.done().total() == 20


def test_a_store_that_can_only_be_read_is_an_outage(make_project: MakeProject) -> None:
    """Idle or not, the worker says so once and gives up in time."""
    project = make_project("sqlite", retry_after=2)
    worker = project.work("--max-downtime=1")
    until(lambda: project.monitor("default")[0]["workers"], "the worker's sign of life")
    with closing(sqlite3.connect(project.folder / "storage/queue.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert worker.ends() == 69
    assert worker.output().count("trying again") == 1
    assert "there again" not in worker.output()


@pytest.mark.fault("F14")
def test_a_stop_is_heard_in_the_middle_of_a_reload(project: Project) -> None:
    """Between the last look at the signals and the first one of the program that takes over."""
    worker = project.work()
    until(worker.children, "its child")
    worker.signal(signal.SIGHUP)
    until(lambda: not worker.children(), "its child to leave")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


@pytest.mark.fault("F17")
def test_output_that_nobody_reads_holds_no_job_up(project: Project) -> None:
    """A pager that waits for its user: lines are left out, jobs and leases are not."""
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=600)
    command = [sys.executable, "-m", "queuectl", "work"]
    with subprocess.Popen(command, cwd=project.folder, env=project.environment, stdout=PIPE, stderr=PIPE) as worker:
        try:
            until(lambda: project.done().total() == 600, "every job")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        finally:  # or leaving the block would wait for it for ever
            worker.kill()


@pytest.mark.fault("F17")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_worker_does_without_the_standard_streams(closed: str, project: Project) -> None:
    """What is printed goes nowhere, above all not into the store or a child's line."""
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=3)
    command = f"exec {sys.executable} -m queuectl work --stop-when-empty {closed}"
    subprocess.run(["sh", "-c", command], cwd=project.folder, env=project.environment, capture_output=True, check=True)
    assert project.done().total() == 3
    assert project.monitor("default")[0]["size"] == 0


@pytest.mark.fault("F17")
def test_a_worker_does_without_its_working_directory(project: Project) -> None:
    """A deploy deleted it; the configuration is named by its full path."""
    project.dispatch('Ledger.dispatch(key="k")')
    command = f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m queuectl work --stop-when-empty"
    environment = {**project.environment, "QUEUECTL_CONFIG": str(project.folder / "conf/queue.toml")}
    subprocess.run(["sh", "-c", command], cwd=project.folder, env=environment, capture_output=True, check=True)
    assert project.done() == {"k": 1}


def test_a_worker_that_is_the_first_process_of_a_container_buries_orphans(project: Project) -> None:
    """What jobs leave behind comes to it, and no zombie stays."""
    container = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if shutil.which(container[0]) is None or subprocess.run([*container, "true"], check=False).returncode:
        pytest.skip("namespaces cannot be made here")
    project.dispatch('Orphaning.dispatch(key=f"o{n}")', times=3)
    command = [*container, sys.executable, "-m", "queuectl", "work"]
    with subprocess.Popen(command, cwd=project.folder, env=project.environment, stdout=DEVNULL, stderr=DEVNULL) as run:
        until(lambda: project.done().total() == 3, "the jobs")
        [worker] = _children(run.pid)
        until(lambda: len(_children(worker)) == 1, "nothing but its child to be left")
        os.kill(worker, signal.SIGTERM)
        assert run.wait(30) == 0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _costs_nothing(pid: int) -> None:
    """It waits rather than spins: far less than the time that passes."""
    before, since = _processor_time(pid), time.monotonic()
    until(lambda: time.monotonic() - since > 1, "a second to pass")
    assert _processor_time(pid) - before < 0.5 * (time.monotonic() - since)


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@pytest.mark.parametrize("flag", ["--once", "--stop-when-empty"])
def test_a_run_that_is_to_end_does_not_wait_for_a_server_that_is_away(flag: str, make_project: MakeProject) -> None:
    """A script in CI hears 69 at once; only a daemon is patient."""
    project = make_project("valkey", redis_url="redis://127.0.0.1:1/0", prefix="")
    assert "cannot be reached" in project.cli("work", flag, code=69).stderr
