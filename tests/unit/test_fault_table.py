"""The tables at the end of a run of faults say what happened, and what did not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

@pytest.mark.fault("F2", "F10")
@pytest.mark.parametrize("store", ["sqlite", "valkey"])
def test_good(store, record_property):
    for name, value in {"jobs": 1000, "lost": 0, "struck": 3, "recovery": {"killed": [0.5, 2.0, 1.0]}}.items():
        record_property(name, value)

@pytest.mark.fault("F2")
def test_bad(record_property):
    record_property("lost", 1)
    assert not "good"

@pytest.mark.fault("X1")
def test_attack():
    pass

@pytest.mark.long
@pytest.mark.fault("F3")
def test_long(draw, record_property):
    record_property("report", [f"drawn: {draw}"])
"""


@pytest.fixture
def run(tmp_path: Path) -> str:
    """What is printed in the end."""
    (tmp_path / "test_few.py").write_text(TESTS)
    words = ["-p", "tests.fault_table", "-c", os.devnull, "--rootdir", str(tmp_path), "-m", "fault", "--fault-table"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--long", "--seed=7", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout


def test_the_tables_add_up(run: str) -> None:
    """By fault, attacks apart; by store, each test once; seconds by kind of trouble; a failure stands out."""
    lines = [re.sub(r" +", " ", line).strip() for line in run.splitlines()]
    for line in (
        "F sqlite valkey - struck jobs done lost doubled",
        "F2 1 1 1 FAILED 6 2,000 0 1 0",
        "F10 1 1 · 6 2,000 0 0 0",
        "X1 1 0 0 0 0 0",
        "sqlite 1 3 1,000 0 0 0",
        "all 1 FAILED 4 6 2,000 0 1 0",
        "killed 3x 1.00 2.00 3x 1.00 2.00",
        "drawn: 7",
        "seed: 7",
    ):
        assert line in lines, run
