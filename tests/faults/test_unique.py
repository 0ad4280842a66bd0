"""Unique jobs whose processes are killed: none is lost, none is doubled, and no key is left behind."""

from __future__ import annotations

import pytest

from tests.faults.conftest import MakeArena
from tests.faults.rig.killer import Killer

JOBS, WORKERS = 400, 2
UNIQUE = """

class OnlyOne(Ledger):
    unique_for = 3600

    def unique(self) -> str:
        return self.key
"""
PUSH = f"""
from ledger_jobs import *
uuids = [OnlyOne.dispatch(key=f"k{{n}}", after=0.002) for n in range({JOBS}) for _ in range(2)]
print(len(set(uuids)))
"""


@pytest.mark.fault("F40")
@pytest.mark.parametrize(
    "store",
    [
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.long),
        pytest.param("mariadb", marks=pytest.mark.long),
        "valkey",
    ],
)
def test_no_key_outlives_a_job_whose_process_was_killed(store: str, make_arena: MakeArena, draw: int) -> None:
    """Each was dispatched twice and is there once; afterwards each can be dispatched again."""
    project = make_arena(store).project
    with (project.folder / "ledger_jobs.py").open("a") as module:
        module.write(UNIQUE)
    assert project.python(PUSH).strip() == str(JOBS)
    workers = [project.work("--stop-when-empty", "--tries=5") for _ in range(WORKERS)]
    killer = Killer(project, workers, draw, every=0.2, most=6)
    killer.haunt(patience=120)
    assert [worker.ends() for worker in workers] == [0] * WORKERS
    assert killer.kills
    done = project.done()
    assert set(done) == {f"k{n}" for n in range(JOBS)}
    assert project.monitor("default")[0]["size"] == 0
    assert project.python(PUSH).strip() == str(JOBS)
    assert project.monitor("default")[0]["size"] == JOBS
