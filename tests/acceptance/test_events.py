"""Listeners in an application's own modules, heard in the processes of a worker."""

from __future__ import annotations

from tests.acceptance.conftest import MakeProject

LISTENING = """
import os
import signal
from pathlib import Path

from queuectl import Job
from queuectl.events import JobFailed, on


def write(event):
    with Path("told").open("a") as file:
        file.write(f"{type(event).__name__} {event.job.job} {event.error}\\n")


on(JobFailed, write)


class Dies(Job):
    def handle(self):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_job_s_failure_is_heard(make_project: MakeProject) -> None:
    """In a module that `jobs` names, though the job has no hook and its process is gone."""
    project = make_project("sqlite")
    with (project.folder / "ledger_jobs.py").open("a") as module:
        module.write(LISTENING)
    project.cli("dispatch", "Dies")
    project.cli("work", "--stop-when-empty")
    assert (project.folder / "told").read_text() == "JobFailed Dies queuectl.errors.WorkerDied\n"
