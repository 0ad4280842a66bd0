"""`check --against-queue` on three stores: what waits is tried against the code that is to come."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.project import Project

NEXT_RELEASE = """

class Wishing(Job):
    key: int
    wish: str

    def handle(self) -> None: ...


del Lingering
"""


@pytest.mark.parametrize("store", ["sqlite", "postgres", "valkey"])
def test_what_the_next_release_would_refuse_is_known_before_it_is_out(project: Project) -> None:
    """Waiting, delayed, and failed jobs, and bytes that are none.

    What failed because it could not be run is no news to anybody: it does not keep the gate shut.
    """
    project.dispatch('Ledger.dispatch(key="k"); Wishing.later(600).dispatch(key="w", wish="fail")', times=2)
    project.dispatch('Failing.dispatch(key="f")')
    project.drain()
    project.dispatch('Ledger.dispatch(key="k"); Lingering.dispatch(key="l")')
    (project.folder / "open").touch()
    project.push_raw(b"not json")
    project.cli("check", "--write")
    project.cli("check", "--against-queue", code=9)
    code = project.folder / "ledger_jobs.py"
    former = code.read_text()
    code.write_text(former + NEXT_RELEASE)
    found = json.loads(project.cli("check", "--against-queue", "--json", code=9).stdout)
    assert {(one["job"], one["argument"], one["kind"]) for one in found["changes"]} == {
        ("Lingering", None, "job_removed"),
        ("Wishing", "key", "type_changed"),
    }
    payloads = found["payloads"]
    assert payloads["checked"] == 6
    assert [
        (one["job"], one["count"], {sample["state"] for sample in one["samples"]}) for one in payloads["problems"]
    ] == [
        ("Wishing", 2, {"delayed"}),
        (None, 1, {"ready"}),
        ("Lingering", 1, {"ready"}),
    ]
    code.write_text(former)
    project.drain()
    told = project.cli("check", "--against-queue").stderr
    assert "looked at, 0 would be refused. 1 that failed because they were refused would be again." in told
