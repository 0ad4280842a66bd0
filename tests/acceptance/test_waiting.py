"""`drain` and `dispatch --wait` beside a worker that works: what they say is so."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import until


@pytest.mark.parametrize("store", ["sqlite", "postgres", "redis62"])
def test_whoever_waits_is_told_the_truth(store: str, make_project: MakeProject) -> None:
    """Done and failed are told apart; what runs when a queue is drained is named, and waited for; nothing begins on it
    until it is resumed, and then all of it."""
    project = make_project(store)
    project.work()
    done = json.loads(project.cli("dispatch", "Ledger", '{"key": "a"}', "--wait", "--timeout=30", "--json").stdout)
    assert (done["status"], done["attempts"], project.done()) == ("done", 1, {"a": 1})
    failed = project.cli("dispatch", "Failing", '{"key": "b"}', "--wait", "--timeout=30", code=1)
    assert "builtins.ValueError: b cannot work" in failed.stderr

    project.cli("dispatch", "Gate", '{"key": "gate"}')
    until(lambda: project.starts("gate"), "the job at the gate")
    found = json.loads(project.cli("drain", "--queue=default", "--timeout=1", "--json", code=3).stdout)
    assert [(running["job"], running["queue"]) for running in found["running"]] == [("Gate", "default")]
    project.cli("dispatch", "Ledger", '{"key": "late"}')
    (project.folder / "open").touch()
    project.cli("drain", "--queue=default", "--timeout=30")
    assert (project.done()["gate"], project.starts("late")) == (1, [])
    project.cli("resume", "default")
    project.cli("drain", "--empty", "--timeout=30")
    assert project.done() == {"a": 1, "gate": 1, "late": 1}
