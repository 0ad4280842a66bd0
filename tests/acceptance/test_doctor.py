"""`queuectl doctor` beside real workers, on every store."""

from __future__ import annotations

import json
import signal
from typing import Any

from tests.acceptance.project import Project, until


def findings(project: Project, code: int) -> list[dict[str, Any]]:
    """Of the whole examination, when it ends like this; without what takes longest."""
    found: list[dict[str, Any]] = json.loads(
        project.cli("doctor", "--json", "--skip", "jobs,pictures", code=code).stdout
    )["checks"]
    return found


def test_a_worker_is_what_was_missing(project: Project) -> None:
    """Jobs that wait are a failure until the remedy runs; then nothing fails, and after the stop it does again."""
    project.dispatch('Ledger.on_queue("mail").dispatch(key="k")')
    [missing] = [one for one in findings(project, code=9) if one["status"] == "failed"]
    assert (missing["name"], missing["fix"]) == ("workers", f"queuectl work {project.connection} --queue=mail")
    project.cli("pause", f"{project.connection}:mail")  # it is there, and the job waits all the same
    worker = project.work(*missing["fix"].split()[2:])
    until(lambda: project.monitor("mail")[0]["workers"], "its sign of life")
    told = [(one["name"], one["detail"]) for one in findings(project, code=0) if one["subject"] == project.connection]
    assert any(name == "workers" and detail.startswith("1 worker alive: default on ") for name, detail in told)
    assert any(name == "pauses" and detail.startswith("Queue mail is paused") for name, detail in told)
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    assert findings(project, code=9)
