"""`explain` and `top` see what real workers do."""

from __future__ import annotations

import json
import signal
from socket import gethostname
from typing import Any

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, until


def explained(project: Project, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.cli("explain", *words, "--json").stdout)
    return found


@pytest.mark.parametrize(
    "store",
    [
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.long),
        pytest.param("mariadb", marks=pytest.mark.long),
        "valkey",
    ],
)
def test_each_moment_of_a_job_is_explained(store: str, make_project: MakeProject) -> None:
    """It runs, the next one waits for its turn, then for a pause to end, and at last for a worker."""
    project = make_project(store)
    project.dispatch('Gate.dispatch(key=f"k{n}")', times=2)
    worker = project.work("--name=mailer")
    until(lambda: project.starts("k0"), "the job to start")
    [runs] = project.cli("jobs:list", "--state=reserved", "--ids").stdout.split()
    [waits] = project.cli("jobs:list", "--state=ready", "--ids").stdout.split()
    found = until(lambda: _by(explained(project, runs), "running"), "its worker to tell of it")
    assert f"It runs: mailer on {gethostname()} (pid {worker.pid})" in found["text"]
    assert explained(project, waits)["position"] == 1
    [seen] = json.loads(project.cli("top", "--json").stdout)["workers"]
    assert (seen["name"], [job["uuid"] for job in seen["running"]]) == ("mailer", [runs])
    project.cli("pause", "default", "--reason=a move")
    assert ": a move." in _by(explained(project, waits), "paused")["text"]
    worker.signal(signal.SIGTERM)
    (project.folder / "open").touch()
    assert worker.ends() == 0
    assert f"The last one, mailer on {gethostname()}, stopped " in _by(explained(project, waits), "no_worker")["text"]
    assert project.cli("explain", runs, code=1).stdout == ""


def _by(found: dict[str, Any], code: str) -> dict[str, Any]:
    """The reason of this code; empty if it is none of the reasons."""
    return next((reason for reason in found["reasons"] if reason["code"] == code), {})
