"""However many failed jobs there are, looking at them takes the memory of a few hundred."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from itertools import islice
from sqlite3 import connect
from time import time

import pytest

from queuectl.cli import main
from queuectl.commands.output import Output
from queuectl.jobs.outcome import FailedRecord, Problem
from queuectl.jobs.payload import encode
from tests.unit.cli.conftest import Site

FLAT = 3_000_000
"""Bytes; six thousand rows without their bodies would be twice that."""
INSERT = """\
INSERT INTO failed_jobs
  (uuid, connection, queue, payload, exception, failed_at, job, error, message, attempts, failed_time)
VALUES (?, 'database', ?, ?, ?, '2026-01-01 00:00:00', ?, 'builtins.OSError', ?, 3, ?)
"""
REDIS = """\
default = "redis"
[connections.redis]
driver = "redis"
url = "{}"
prefix = "{}"
"""
TRACEBACK = "OSError: disk full\n" + "  File shop.py, line 9\n" * 100


class Nowhere(StringIO):
    """Counts lines, and keeps none."""

    lines = 0

    def write(self, text: str) -> int:
        self.lines += text.count("\n")
        return len(text)


@pytest.fixture(params=[6_000, pytest.param(200_000, marks=pytest.mark.long)])
def count(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture(params=["sqlite", pytest.param("valkey", marks=pytest.mark.long)])
def many(request: pytest.FixtureRequest, site: Site, count: int, prefix: str) -> int:
    """So many failures, half of them of each of two jobs, every one with a message of its own."""
    records = _records(count)
    if request.param == "sqlite":
        _into_sqlite(site, records)
    else:
        site.write(REDIS.format(request.getfixturevalue("valkey").url, prefix))
        with site.driver("redis") as driver:
            while some := list(islice(records, 1_000)):
                driver.failed.add(some)
    return count


def _records(count: int) -> Iterator[FailedRecord]:
    now = time()
    for number in range(count):
        job, uuid = "Mail" if number % 2 else "Resize", f"{number:08x}-0000-4000-8000-000000000000"
        problem = Problem("builtins.OSError", f"no user {number}", TRACEBACK)
        payload = encode(job=job, arguments="{}", uuid=uuid)
        yield FailedRecord(uuid, "redis", f"{job}-queue", payload, job, 3, problem, now - count + number)


def _into_sqlite(site: Site, records: Iterator[FailedRecord]) -> None:
    """By a statement of our own, as of rows from before fingerprints: a driver would take minutes."""
    assert site.run("migrate").code == 0
    rows = (
        (one.uuid, one.queue, one.payload.decode(), TRACEBACK, one.job, one.problem.message, one.failed_at)
        for one in records
    )
    with closing(connect(site.root / "storage/queue.sqlite")) as database, database:
        database.executemany(INSERT, rows)


def peak_of(*words: str) -> tuple[int, int]:
    """Bytes that a command had at most, and the lines it wrote."""
    said = Output(Nowhere(), StringIO(), StringIO(), {})
    force = ["--force"] if words[0] == "flush" else []
    main([words[0], "--job=Nobody", *force], Output(Nowhere(), StringIO(), StringIO(), {}))  # imports what it needs
    tracemalloc.start()
    try:
        assert main(words, said) == 0, said.stderr.getvalue()  # type: ignore[attr-defined]  # it is ours
        return tracemalloc.get_traced_memory()[1], said.stdout.lines  # type: ignore[attr-defined]  # it is ours
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(600)  # two hundred thousand under a tracer
@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["failed"], lambda count: count + count // 200),
        (["failed", "--json"], lambda count: count + 2),
        (["failed", "--group"], lambda count: 3),
        (["retry", "--job=Mail"], lambda count: count // 2),
        (["flush", "--job=Mail", "--force"], lambda count: 0),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_memory_is_flat(many: int, words: list[str], lines: Callable[[int], int]) -> None:
    """Listed, grouped, retried, deleted and kept."""
    peak, written = peak_of(*words)
    assert written == lines(many)
    assert peak < FLAT
