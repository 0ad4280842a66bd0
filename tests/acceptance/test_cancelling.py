"""Jobs that are told to end while they run: one that listens, one that does not, one that cannot."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, until

JOBS = """
import asyncio
import hashlib
import time
from pathlib import Path

from queuectl import Job, JobCancelled


class Begins(Job):
    def begin(self):
        Path("begun").touch()


class Listens(Begins):
    def handle(self):
        self.begin()
        while not self.cancelled:
            time.sleep(0.01)
        Path("heard").touch()


class Raises(Begins):
    tries = 5

    def handle(self):
        self.begin()
        while not self.cancelled:
            time.sleep(0.01)
        raise JobCancelled("half of it is done")


class Deaf(Begins):
    tries = 5
    timeout = 0

    def handle(self):
        self.begin()
        time.sleep(600)


class Sleeper(Begins):
    tries = 5

    async def handle(self):
        self.begin()
        await asyncio.sleep(600)


class Stone(Begins):
    tries = 5

    def handle(self):
        self.begin()
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 2_000_000_000)
"""


def started(project: Project, job: str, *options: str) -> str:
    """A worker that runs such a job; the job's uuid."""
    with (project.folder / "ledger_jobs.py").open("a") as module:
        module.write(JOBS)
    uuid = project.cli("dispatch", job).stdout.strip()
    project.work(*options)
    until((project.folder / "begun").exists, "the job's beginning")
    return uuid


def gone(project: Project, uuid: str) -> bool:
    return "Unable to find job" in project.cli("jobs:show", uuid, code=None).stderr


def failure(project: Project, uuid: str) -> str:
    until(lambda: uuid in project.cli("failed", "--ids").stdout, "the job's failure", 40)
    return project.cli("failed:show", uuid).stdout


def test_a_job_that_listens_ends_where_it_likes(project: Project) -> None:
    """On every store; to return is to be done."""
    uuid = started(project, "Listens")
    shown = project.cli("jobs:cancel", "--running", uuid)
    assert "1 running job asked to end" in shown.stderr + shown.stdout
    until((project.folder / "heard").exists, "the job's hearing of it")
    until(lambda: gone(project, uuid), "the job's end")
    assert project.cli("failed", "--ids").stdout == ""


def test_a_job_that_raises_is_not_tried_again(make_project: MakeProject) -> None:
    """And who asked for it is in its record."""
    project = make_project("sqlite")
    uuid = started(project, "Raises")
    project.cli("jobs:cancel", "--running", uuid)
    shown = failure(project, uuid)
    assert "JobCancelled" in shown
    assert "was cancelled by " in shown
    assert "half of it is done" in shown


@pytest.mark.parametrize(
    ("job", "options"),
    [("Deaf", ()), ("Sleeper", ()), ("Sleeper", ("--concurrency=2",)), ("Stone", ("--kill-after=1",))],
    ids=["plain", "coroutine", "one of several coroutines", "in C"],
)
def test_a_job_that_does_not_listen_is_ended(make_project: MakeProject, job: str, options: tuple[str, ...]) -> None:
    """As at its time limit, whether it has one or not; the worker goes on with others."""
    project = make_project("sqlite")
    uuid = started(project, job, *options)
    project.cli("jobs:cancel", "--running", "--within=500ms", uuid)
    assert "was cancelled by " in failure(project, uuid)
    (project.folder / "begun").unlink()
    project.cli("dispatch", "Listens")
    until((project.folder / "begun").exists, "another job's beginning")


def test_a_retry_is_not_cancelled_once_more(make_project: MakeProject) -> None:
    """What was asked is forgotten with the end that it asked for."""
    project = make_project("sqlite")
    uuid = started(project, "Raises")
    project.cli("jobs:cancel", "--running", uuid)
    failure(project, uuid)
    (project.folder / "begun").unlink()
    until(lambda: not project.rows("SELECT key FROM queuectl_control WHERE key LIKE 'mark:cancel:%'"), "the mark's end")
    project.cli("retry", uuid)
    until((project.folder / "begun").exists, "the job's next life")


def test_without_the_option_it_is_left_alone(make_project: MakeProject) -> None:
    """With a word of what would end it."""
    project = make_project("sqlite")
    uuid = started(project, "Listens")
    refused = project.cli("jobs:cancel", uuid, code=1)
    assert "1 job is running: only what waits is cancelled." in refused.stderr
    assert "--running" in refused.stderr
