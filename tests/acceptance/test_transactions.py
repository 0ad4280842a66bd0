"""Jobs that complete themselves in a transaction of their own, in real workers whose processes are killed."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project

JOBS = """
import os, signal
from contextlib import closing
from queuectl import Job
from ledger import write
from ledger_places import connect


class Pay(Job):
    number: int
    dies: str = ""

    tries = 3

    def handle(self) -> None:
        with closing(connect()) as connection:
            cursor = connection.cursor()
            write("start", f"p{self.number}", attempt=self.attempts)
            cursor.execute(f"INSERT INTO payments VALUES ({self.number})")
            self.complete_in(connection)
            self._die("before")
            connection.commit()
            write("done", f"p{self.number}", attempt=self.attempts)
            self._die("after")

    def _die(self, when: str) -> None:
        if self.dies == when and self.attempts == 1:
            os.kill(os.getpid(), signal.SIGKILL)
"""
PLACES = {
    "sqlite": "import sqlite3\n\ndef connect():\n    return sqlite3.connect('storage/queue.sqlite')\n",
    "postgres": "import psycopg\n\ndef connect():\n    return psycopg.connect({url!r})\n",
}
PUSH = """
from contextlib import closing
from ledger_jobs import Pay
from ledger_places import connect

with closing(connect()) as connection:
    connection.cursor().execute("CREATE TABLE payments (number INTEGER)")
    connection.commit()
    for number in range(12):
        Pay.using(connection).dispatch(number=number, dies=("", "before", "after")[number % 3])
        connection.rollback() if number == 11 else connection.commit()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def paying(request: pytest.FixtureRequest, make_project: MakeProject) -> Project:
    project = make_project(request.param)
    (project.folder / "ledger_places.py").write_text(PLACES[request.param].format(url=project.database_url))
    with (project.folder / "ledger_jobs.py").open("a") as jobs:
        jobs.write(JOBS)
    return project


def test_each_effect_happens_exactly_once(paying: Project) -> None:
    """Of what was committed, whether a process is killed before its commit or after it, alone or with other jobs in it;
    once there has been a commit, the job is done and not begun again."""
    paying.python(PUSH)
    said = paying.drain("--json").stdout
    assert sorted(paying.rows("SELECT number FROM payments")) == [(number,) for number in range(11)]
    seen: dict[str, list[str]] = {}
    for event in paying.events():
        seen.setdefault(event["key"], []).append(event["ev"])
    assert seen.keys() == {f"p{number}" for number in range(11)}
    assert not any("done" in events[:-1] for events in seen.values()), seen
    assert paying.failed() == []
    assert said.count('"status": "success"') == 11
