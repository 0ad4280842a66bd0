"""`dispatch` is checked by mypy from the job's own fields."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EXPECTED = re.compile(r"# error: \[(.*)\]$")
FOUND = re.compile(r"(?P<file>\w+)\.py:(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")
Errors = set[tuple[int, str]]


@pytest.fixture(scope="module")
def found() -> dict[str, Errors]:
    """What mypy --strict says about both files: line and code of each error, by file."""
    files = [str(HERE / "right.py"), str(HERE / "wrong.py")]
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", *files]
    ran = subprocess.run(command, cwd=HERE.parent.parent, capture_output=True, text=True)
    assert ran.returncode in (0, 1), ran.stderr
    errors: dict[str, Errors] = {"right": set(), "wrong": set()}
    for line in ran.stdout.splitlines():
        match = FOUND.search(line)
        if match:
            errors[match["file"]].add((int(match["line"]), match["code"]))
    return errors


def expected(file: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        match = EXPECTED.search(line)
        for code in match[1].split(", ") if match else ():
            yield number, code


def test_right_calls_pass(found: dict[str, Errors]) -> None:
    """Classes and functions, every way to dispatch, with the types that they should have."""
    assert found["right"] == set()


def test_wrong_calls_are_errors(found: dict[str, Errors]) -> None:
    """Each wrong argument, and nothing else."""
    assert found["wrong"] == set(expected(HERE / "wrong.py"))
