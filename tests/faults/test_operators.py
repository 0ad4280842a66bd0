"""What operators and callers do to queues while they are in use, and thousands of jobs that fall due at once."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers import build
from queuectl.drivers.contract import Driver, Settlement, Verdict
from queuectl.jobs.outcome import Done
from queuectl.testing.contract.base import reserve
from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.keys import key_of
from tests.faults.test_payloads import stop

MANY = 2_000


@pytest.mark.fault("F42")
def test_a_queue_may_be_cleared_under_a_running_worker(arena: Arena) -> None:
    """The running job finishes and does not come back, what waited is gone, the worker goes on; a queue that it serves
    under two names is one."""
    arena.put(job("running", "Gate"), *(job(f"k{number}") for number in range(5)), job("delayed", delay=60))
    worker = arena.project.work("--queue=default,default")
    until(lambda: arena.project.starts("running"), "the job to start")
    arena.project.cli("clear", "--force")
    (arena.project.folder / "open").touch()
    arena.await_done({"running"})
    arena.put(job("next"))
    arena.await_done({"next"})
    stop(worker)
    assert "Traceback" not in worker.output()
    arena.acknowledged = {"running", "next"}
    assert arena.check().done == 2
    assert arena.places() == {}


@pytest.mark.fault("F41")
def test_thousands_whose_workers_died_come_back_in_slices(arena: Arena) -> None:
    """No statement and no script holds the store up for all of them; each comes once, and each attempt is counted."""
    arena.put(*(job(f"k{number}") for number in range(MANY)))
    clock = FakeClock()
    with closing(timed(arena, clock)) as driver:
        lost = []
        for _ in range(0, MANY, 500):
            lost.append({key_of(one.payload) for one in reserve(driver, "default", room=500)})
            clock.sleep(0.1)
        clock.sleep(3)
        back = reserve(driver, "default")
        assert driver.counts(["default"])["default"].reserved >= MANY - 1000
        while more := reserve(driver, "default", room=500):
            back += more
        keys = [key_of(one.payload) for one in back]
        assert [set(keys[first:][:500]) for first in range(0, MANY, 500)] == lost  # whose leases ended first, first
        assert len(keys) == MANY
        assert {one.attempts for one in back} == {2}
        for first in range(0, MANY, 500):
            verdicts, _ = driver.exchange([Settlement(one, Done()) for one in back[first:][:500]], ["default"], 0)
            assert set(verdicts) == {Verdict.APPLIED}
    assert arena.places() == {}


SYNC = """
import json
import os
import signal
import psycopg
from ledger_jobs import *


class Nested(Job):
    def handle(self):
        Nested.dispatch()


class Unhurried(Job):
    timeout = 1

    def handle(self):
        raise ArithmeticError(signal.getitimer(signal.ITIMER_REAL))


def told(call):
    try:
        call()
    except BaseException as error:
        return [type(error).__name__, str(error)]


with psycopg.connect(os.environ["QUEUE_DATABASE_URL"]) as application:
    application.execute("CREATE TABLE orders (id INTEGER)")
    found = [
        told(lambda: Failing.dispatch(key="raised")),
        told(lambda: Raising.dispatch(key="exit", what="SystemExit")),
        told(Nested.dispatch),
        told(Unhurried.dispatch),
    ]
    application.rollback()
print(json.dumps(found))
"""


@pytest.mark.fault("F43")
def test_a_job_that_runs_at_once_fails_like_a_call(postgres_url: str, make_arena: MakeArena) -> None:
    """Its caller gets the exception itself, recursion ends in a clear error, the caller gets no time limit, nothing
    is retried; the record of a failure outlives the caller's rollback."""
    project = make_arena("sync", database_url=postgres_url).project
    project.environment["QUEUE_DATABASE_URL"] = postgres_url
    conf = project.folder / "conf/queue.toml"
    conf.write_text(conf.read_text() + '\n[failed]\nconnection = "database"\n')
    project.cli("migrate")
    raised, left, nested, unhurried = json.loads(project.python(SYNC))
    assert raised == ["ValueError", "raised cannot work"]
    assert left[0] == "SystemExit"
    assert nested[0] == "NestedTooDeeply"
    assert unhurried == ["ArithmeticError", "(0.0, 0.0)"]
    assert [len(project.starts(key)) for key in ("raised", "exit")] == [1, 1]
    kept = [row["job"] for row in project.failed()]
    assert {"Failing", "Raising", "Nested", "Unhurried"} == set(kept)
    assert kept.count("Failing") == 1


def timed(arena: Arena, clock: FakeClock) -> Driver:
    """The driver of the arena's store, by a clock that the test moves."""
    with closing(arena.app()) as app:
        return build(app.connection(arena.project.connection), clock=clock)
