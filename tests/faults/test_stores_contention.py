"""Many processes on one store, and on one file: nobody is told of it, nobody is left standing, nothing is lost."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from queuectl.drivers.contract import Driver
from tests.acceptance.project import Project, Worker, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job

MOST_LOG = 4 << 20
"""Bytes of SQLite's log after the last checkpoint."""
MOST_UNEQUAL = 5
"""Times that one worker's share is another's; SQLite's own lock makes it hundreds."""


@pytest.mark.fault("F29")
@pytest.mark.parametrize(
    ("workers", "jobs"), [(4, 600), pytest.param(8, 2000, marks=pytest.mark.long)], ids=["four", "eight"]
)
def test_workers_share_one_file(workers: int, jobs: int, make_arena: MakeArena) -> None:
    """With a producer and a monitor beside them, each gets its share; the file is sound and its log small."""
    arena = make_arena("sqlite")
    project = arena.project
    running = at_the_ready(project, workers)
    arena.put(*(job(f"k{number}", seconds=0.001) for number in range(jobs)))
    project.cli("resume", "default")
    arena.push(f"p{number}" for number in range(jobs // 10))
    until(lambda: not project.monitor()[0]["size"], "the last job")
    arena.check()
    assert all("trying again" not in worker.output() for worker in running)
    shares = Counter(event["pid"] for event in project.events() if event["ev"] == "done")
    assert len(shares) == workers
    assert max(shares.values()) <= MOST_UNEQUAL * min(shares.values()), shares
    file = project.folder / "storage/queue.sqlite"
    assert file.with_name("queue.sqlite-wal").stat().st_size <= MOST_LOG
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.fault("F28")
def test_everybody_at_once(arena: Arena) -> None:
    """Workers, a producer, and an operator who retries everything and clears a queue: no call of anybody's fails."""
    failing = {f"f{number}" for number in range(40)}
    arena.put(*(job(key, "Failing") for key in failing), *(job(f"k{number}") for number in range(100)))
    workers = [arena.project.work("--workers=2") for _ in range(2)]
    with closing(arena.app()) as app:
        driver = app.driver(arena.project.connection)
        for number in range(30):
            driver.push([job(f"scrap{number}.{one}", queue="scrap") for one in range(5)])
            arena.put(job(f"p{number}"))
            driver.failed.retry([row.uuid for row in driver.failed.page().items])
            driver.clear("scrap")
        (arena.project.folder / "repaired").touch()
        until(lambda: _retried(driver) and arena.done() == arena.acknowledged, "every job")
        arena.await_rest()
        assert (driver.counts(["scrap"])["scrap"].size, driver.failed.count()) == (0, 0)
    arena.check(recounted=failing)
    assert all("trying again" not in worker.output() for worker in workers)


def _retried(driver: Driver) -> bool:
    driver.failed.retry([row.uuid for row in driver.failed.page().items])
    return True


def at_the_ready(project: Project, count: int) -> list[Worker]:
    """Workers that are there and wait for `resume`."""
    project.cli("pause", "default")
    workers = [project.work(f"--name=w{number}") for number in range(count)]
    until(lambda: project.monitor("default")[0]["workers"] == count, "the workers' signs of life")
    return workers
