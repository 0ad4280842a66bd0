"""`work --listen`: a worker that is always on the newest code."""

from __future__ import annotations

import signal

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, Worker, lives, until

JOB = '''\
from ledger import write
from queuectl import Job


class Changing(Job):
    """Says which version of the code it is."""

    key: str

    def handle(self) -> None:
        write("{version}", self.key)
'''


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    """An application on SQLite whose jobs change."""
    found = make_project("sqlite")
    release(found, "v1")
    configuration = found.folder / "conf/queue.toml"
    configuration.write_text(configuration.read_text().replace('["ledger_jobs"]', '["ledger_jobs", "changing"]'))
    return found


def release(project: Project, version: str) -> None:
    (project.folder / "changing.py").write_text(JOB.format(version=version))


def ran(project: Project, key: str) -> str:
    """Which version of the code ran the job of this key."""
    project.dispatch(f'from changing import Changing; Changing.dispatch(key="{key}")')
    [event] = until(lambda: [event for event in project.events() if event["key"] == key], key)
    return str(event["ev"])


def worker_of(attendant: Worker) -> int:
    """The worker's own process."""
    return int(until(attendant.children, "the worker")[0])


def test_it_runs_what_was_written_last(project: Project) -> None:
    """What runs is finished by the code that began it; the next job meets the new one. TERM ends both."""
    attendant = project.work("--listen")
    assert ran(project, "a") == "v1"
    project.dispatch('Gate.dispatch(key="g")')
    until(lambda: project.starts("g"), "the job that runs meanwhile")
    release(project, "v2")
    until(lambda: "changing.py changed: the worker finishes what it runs" in attendant.output(), "the change")
    (project.folder / "open").touch()
    until(lambda: project.done()["g"], "the job that ran")
    assert ran(project, "b") == "v2"
    assert len(project.starts("g")) == 1
    worker = worker_of(attendant)
    attendant.signal(signal.SIGTERM)
    assert attendant.ends() == 0
    assert not lives(worker)


def test_code_that_does_not_compile_is_tried_again_when_it_changes(project: Project) -> None:
    """The error is said once, and nobody has to start anything."""
    attendant = project.work("--listen")
    assert ran(project, "a") == "v1"
    (project.folder / "changing.py").write_text("def broken(:")
    until(lambda: "It starts anew when a file changes." in attendant.output(), "the error")
    assert attendant.output().count("SyntaxError: ") >= 1
    release(project, "v2")
    until(lambda: "changing.py changed: the worker starts anew." in attendant.output(), "the repair")
    assert ran(project, "b") == "v2"
    attendant.signal(signal.SIGINT)
    assert attendant.ends() == 0


def test_a_worker_does_not_outlive_its_attendant(project: Project) -> None:
    """Killed without a word, it leaves nobody behind."""
    attendant = project.work("--listen")
    worker = worker_of(attendant)
    until(lambda: project.monitor("default")[0]["workers"], "the worker's sign of life")
    attendant.signal(signal.SIGKILL)
    until(lambda: not lives(worker), "the worker to go")


def test_one_that_may_end_ends(project: Project) -> None:
    """By itself, with the worker's own exit code, under artisan's name as well; what was asked to stop is restarted."""
    project.dispatch('Ledger.dispatch(key="k")')
    project.cli("queue:listen", "--stop-when-empty")
    assert project.done() == {"k": 1}
    attendant = project.work("--listen")
    first = worker_of(attendant)
    until(lambda: project.monitor("default")[0]["workers"], "the worker's sign of life")
    project.cli("restart")
    until(lambda: attendant.children() and worker_of(attendant) != first, "another worker")
    attendant.signal(signal.SIGTERM)
    assert attendant.ends() == 0
