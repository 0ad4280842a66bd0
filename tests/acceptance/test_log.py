"""What operators find in the log file, and nowhere else when they look the next morning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project

CANARY = "s3cr3t-canary"
RECORD = re.compile(r"\S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) (\S+)\[\d+\] (.*)")
LOGGING = """
import logging
from queuectl import Job


class Chatty(Job):
    def handle(self) -> None:
        logging.getLogger("shop.mail").info("sent with password=s3cr3t-canary")
"""


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    """On SQLite, with a log file."""
    project = make_project("sqlite")
    _configure(project, '[log]\nfile = "storage/logs/q.log"\n')
    return project


def _configure(project: Project, text: str) -> None:
    with (project.folder / "conf/queue.toml").open("a") as file:
        file.write(text)


def records(project: Project) -> list[tuple[str, str, str]]:
    """Level, logger and text of each line."""
    path = project.folder / "storage/logs/q.log"
    found = [RECORD.fullmatch(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [match.groups() for match in found if match]  # type: ignore[misc]  # three groups


def test_a_worker_says_where_it_writes_and_writes_what_went_wrong(project: Project) -> None:
    """Its beginning and end, and each failure with its traceback, in a line."""
    project.dispatch('Failing.dispatch(key="k")')
    run = project.drain("--tries=3")
    assert f"What goes wrong is written to {project.folder}/storage/logs/q.log.\n" in run.stderr
    levels = [level for level, *_ in records(project)]
    assert levels == ["INFO", "WARNING", "WARNING", "ERROR", "INFO"]
    _, logger, text = records(project)[-2]
    assert logger == "queuectl.worker"
    assert re.match(r"Failing [0-9a-f-]{36} on database@default, attempt 3: failed for good\.", text)
    assert r'\nTraceback (most recent call last):\n  File "' in text


def test_a_child_writes_there_too(project: Project) -> None:
    """The built-in job's errors, and what the application logs without having said where."""
    with (project.folder / "ledger_jobs.py").open("a") as file:
        file.write(LOGGING)
    project.python(
        "import sqlite3\n"
        "sqlite3.connect('storage/queue.sqlite').execute('DROP TABLE notifications')\n"
        "from ledger_jobs import Chatty\n"
        "from queuectl import SendNotificationJob\n"
        "Chatty.dispatch()\n"
        'SendNotificationJob.dispatch({"user_id": 7, "title": "t", "message": "m"})'
    )
    project.drain()
    found = records(project)
    [sent] = [text for level, logger, text in found if logger == "shop.mail"]
    assert sent.startswith("sent with password=*** [job=Chatty, id=")
    assert sent.endswith(", queue=default, attempt=1]")
    [error] = [text for level, logger, text in found if logger == "queuectl.notifications"]
    assert error.startswith("A notification could not be stored (user 7, job ")


def test_a_producer_writes_its_warnings_there(project: Project) -> None:
    """That a job went to the outbox, for one."""
    _configure(project, '[connections.redis]\nurl = "redis://:s3cr3t-canary@127.0.0.1:1/0"\noutbox = "database"\n')
    project.dispatch('Ledger.on_connection("redis").dispatch(key="k")')
    [(level, logger, text)] = records(project)
    assert (level, logger) == ("WARNING", "queuectl.outbox")
    assert text.startswith("Jobs go to the outbox [database] for now.")
    assert CANARY not in text


def test_why_a_worker_cannot_start_is_written_down(project: Project) -> None:
    """The application that cannot be imported, with file and line; and a store that is hopeless."""
    (project.folder / "ledger_jobs.py").write_text("import nothing_of_the_kind\n")
    project.cli("work", code=78)
    level, _, text = records(project)[-1]
    assert level == "ERROR"
    assert f'File "{project.folder}/ledger_jobs.py", line 1' in text
    (project.folder / "storage/queue.sqlite").unlink()
    project.cli("work", code=78)
    level, _, text = records(project)[-1]
    assert (level, text.endswith("Run `queuectl migrate`.")) == ("CRITICAL", True)


@pytest.mark.fault("F17")
def test_a_log_on_a_full_disk_costs_no_job(project: Project) -> None:
    """A word on stderr, and the jobs go on."""
    file = project.folder / "conf/queue.toml"
    file.write_text(file.read_text().replace("storage/logs/q.log", "/dev/full"))
    project.dispatch('Ledger.dispatch(key=f"k{n}")', times=3)
    project.dispatch('Failing.dispatch(key="f")')
    run = project.drain()
    assert "The log /dev/full cannot be written: No space left on device." in run.stderr
    assert project.done().total() == 3
    assert len(project.failed()) == 1


def test_without_a_file_nothing_is_written(make_project: MakeProject) -> None:
    """And nothing is said of one."""
    project = make_project("sqlite")
    project.dispatch('Failing.dispatch(key="k")')
    assert "written to" not in project.drain().stderr
    assert not list(Path(project.folder).rglob("*.log"))
