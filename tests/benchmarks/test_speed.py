"""The program that measures how fast queuectl is. That it measures is judged here, not what."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from speed.run import Run

ROOT = Path(__file__).parents[2]
ROWS = {
    "drain": ("drain", "dispatch", "drain: memory of the child"),
    "concurrency": ("concurrency",),
    "naps": ("naps",),
    "workers": ("workers",),
    "bulk": ("bulk",),
    "memory": ("memory of a generator", "bulk from a generator"),
    "latency": ("latency p50", "latency p99", "latency p99 of bursts' last", "idle CPU"),
    "scale": ("reserve", "reserve, times as long", "monitor"),
    "due": ("longest stall",),
    "failed": ("failed: first page", "failed: memory", "failed: retry all"),
    "pictures": ("pictures", "pictures: memory above idle", "pictures: likeness"),
    "start": ("start", "start: CPU"),
    "boot": ("boot",),
    "survival": (),
}
"""By each measure's name, what it must have found."""


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


@pytest.fixture
def run() -> Iterator[Run]:
    """One on SQLite, with next to nothing to do."""
    from speed.run import Run, started
    from speed.sizes import TINY

    with started(["sqlite"], print) as stores:
        yield Run(stores, TINY, rounds=1)


def test_every_measure_is_tried_here() -> None:
    """A new one gets a line above."""
    from speed.measures.catalog import MEASURES

    assert set(ROWS) == set(MEASURES)


@pytest.mark.parametrize("name", ROWS)
def test_a_measure_finds_figures(run: Run, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All of its rows, none of them without a reason, each told as it comes."""
    from speed.measures.catalog import MEASURES

    MEASURES[name](run)
    assert run.figures.missing == {}
    assert set(ROWS[name]) <= set(run.figures.measures())
    assert all(words.startswith("kept; ") for words in run.figures.kept.values())
    assert "sqlite" in capsys.readouterr().err or name in ("pictures", "start")


def test_the_program_prints_what_it_measured() -> None:
    """Progress on one stream, tables and targets on the other."""
    done = benchmarks("--only=boot", "--stores=sqlite", "--rounds=1", "--size=tiny")
    assert done.returncode == 0, done.stderr
    assert "boot" in done.stderr
    assert "SQLite, worker's start to first job: at most 0.35 s" in done.stdout
    assert benchmarks("--only=nonsense").returncode == 2


def test_the_results_say_what_was_reached(run: Run, tmp_path: Path) -> None:
    """Targets, figures, fates, and who is missing, in one file with a picture beside it."""
    from speed.figures import Key
    from speed.results import write
    from speed.surroundings import Surroundings

    figures = run.figures
    for rate in (9_000, 10_000, 11_000):
        figures.add("drain", "sqlite", "queuectl", rate, "/s")
    figures.add("idle CPU", "sqlite", "queuectl", 0.1, "%")
    figures.add("drain", "sqlite", "huey", 5_000, "/s")
    figures.kept[Key("survival", "sqlite", "huey")] = "lost; its row is deleted before it runs"
    figures.missing[Key("drain", "postgres", "oban")] = "it wants Python 3.12"
    write(figures, Surroundings.now(run, ["--write"]), tmp_path / "RESULTS.md", tmp_path / "speed.svg")
    text = (tmp_path / "RESULTS.md").read_text()
    for line in (
        "| SQLite, one job at a time: at least 2.5 times huey | 2.00 times: 10,000 /s against 5,000 /s | **no** |",
        "| SQLite: an idle worker uses less than 1 % of a core | 0.10 % | yes |",
        "| SQLite | huey | lost | its row is deleted before it runs |",
        "- oban on PostgreSQL, drain: it wants Python 3.12.",
    ):
        assert line in text.splitlines()
    for name in ("speed.svg", "speed-dark.svg"):
        drawing = ElementTree.parse(tmp_path / name)  # noqa: S314  # written by ourselves
        assert {"queuectl", "huey"} <= set(drawing.getroot().itertext())


def benchmarks(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
