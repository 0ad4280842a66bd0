"""The program that measures how long the example's API takes to answer. What it measures is not judged here."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from latency.stage import Stage

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "examples/quickstart/photo.jpg"
QUICK = ("--requests=8", "--concurrency=1", "--workers=1", "--broadcast-ms=20", f"--photo={PHOTO}", "--no-bounds")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The example, its API and a worker."""
    from latency.stage import Stage

    with Stage("database", broadcast_ms=1) as running:
        running.start(workers=1)
        yield running


def measure(*options: str) -> subprocess.CompletedProcess[str]:
    program = ROOT / "benchmarks/api_latency.py"
    return subprocess.run(
        [sys.executable, program, *QUICK, *options], capture_output=True, text=True, check=False, timeout=120
    )


def test_a_run_prints_draws_and_loses_nothing(tmp_path: Path) -> None:
    """Also with the queue's file locked by another program: the outbox takes the jobs, the worker carries them over."""
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- api-latency -->\nold\n<!-- /api-latency -->\nafter\n")
    files = (f"--json={tmp_path / 'run.json'}", f"--plot={tmp_path / 'run.svg'}", f"--readme={readme}")
    run = measure("--modes=sync,file-locked", *files)
    assert run.returncode == 0, run.stderr
    assert "POST /api/attendance" in run.stdout
    figures = json.loads((tmp_path / "run.json").read_text())
    for mode in ("sync", "file-locked"):
        requests = figures["modes"][mode]["requests"]
        assert requests["accepted"] == requests["notified"] == 12  # with four that are not measured
        assert not any(requests[wrong] for wrong in ("refused", "lost", "twice", "unfit", "left_over"))
    for name in ("run.svg", "run-dark.svg"):
        drawing = ElementTree.parse(tmp_path / name)  # noqa: S314  # written by ourselves
        assert "database, file locked" in set(drawing.getroot().itertext())
    assert readme.read_text().startswith("before\n<!-- api-latency -->\n| ms until the answer |")
    assert readme.read_text().endswith("<!-- /api-latency -->\nafter\n")


def test_what_is_lost_or_done_twice_is_noticed(stage: Stage) -> None:
    """A notification taken away, another written a second time, a third broadcast again, a thumbnail removed."""
    from latency.audit import audit
    from latency.traffic import Visitor, drive

    visitor = Visitor(stage.url, PHOTO.read_bytes())
    answers = drive([visitor], range(8))
    assert audit(stage, answers).is_sound
    with closing(sqlite3.connect(stage.database_file, isolation_level=None)) as tables:
        tables.execute("DELETE FROM notifications WHERE id = (SELECT min(id) FROM notifications WHERE type = 'conge')")
        tables.execute(
            "INSERT INTO notifications (job_uuid, user_id, title, message, type, priorite, broadcast_at, created_at)"
            " SELECT 'another', user_id, title, message, type, priorite, broadcast_at, created_at FROM notifications"
            " WHERE type = 'benchmark' LIMIT 1"
        )
    again = stage.ledger.read_text().split()[-1]
    stage.ledger.write_text(f"{stage.ledger.read_text()}{again}\n")
    next(stage.photos.glob("*_thumb.jpg")).unlink()
    found = audit(stage, answers, patience=0)
    assert (found.lost, found.twice, found.unfit) == (1, 2, 1)
    visitor.close()


def test_a_promise_is_broken_by_slow_answers_only() -> None:
    """The 95th percentile of a queued mode against 200 ms and a fifth of sync's; in an outage, every answer."""
    from latency.audit import Audit
    from latency.figures import Result, bounds
    from latency.modes import MODES
    from latency.traffic import Answer

    def result(mode: str, *seconds: float) -> Result:
        answers = [Answer("/api/conges", "", 202, one) for one in seconds]
        return Result(MODES[mode], answers, Audit(len(answers), len(answers), 0, 0, 0, 0, 0, 0))

    def broken(*results: Result) -> int:
        return sum(not bound.holds for bound in bounds(results))

    quick, slow = [0.01] * 99, [0.01] * 80
    assert broken(result("sync", *[0.4] * 100), result("redis", *quick, 0.3), result("redis-down", *quick, 0.19)) == 0
    assert broken(result("redis-down", *quick, 0.3)) == 1
    assert broken(result("sync", *[0.4] * 100), result("redis", *slow, *[0.1] * 20)) == 1
    assert broken(result("sync", *[0.4] * 100), result("redis", *slow, *[0.3] * 20)) == 2
