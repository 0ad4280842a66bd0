"""The page that says what shows each claim names tests and files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

TEXT = (DOCS / "seed-coverage.md").read_text()
SECTIONS = (
    *("Why queues", "Configuration", "Tables", "The job that notifies", "The job that makes pictures fit", "The mixin"),
    *("The controllers", "Starting workers", "Production with Supervisor", "Priority queues", "Monitoring"),
    *("Troubleshooting", "Good practices", "Performance"),
)
ROWS = [row for row in re.findall(r"^\| (.+?) \| (.+?) \|$", TEXT, re.MULTILINE) if row[1] not in ("shown by", "---")]
TESTS = sorted(set(re.findall(r"`(tests/[^`]+)`", TEXT)))
FILES = sorted(set(re.findall(r"`(?:python )?((?:benchmarks|conf|examples)/[\w./-]+)`", TEXT)))


def test_every_section_is_answered() -> None:
    """In the order of the guide."""
    assert tuple(re.findall(r"^## (.+)$", TEXT, re.MULTILINE)) == SECTIONS


@pytest.mark.parametrize(("claim", "shown_by"), ROWS)
def test_every_claim_has_something_that_shows_it(claim: str, shown_by: str) -> None:
    """A test, a command, a file or a page."""
    assert re.search(r"`(tests/|queuectl |python benchmarks/|conf/|examples/)|\]\(", shown_by), claim


@pytest.mark.parametrize("named", TESTS)
def test_every_test_is_there(named: str) -> None:
    """By file, class and name."""
    file, *names = named.split("::")
    text = (ROOT / file).read_text()
    for name in names[:-1]:
        assert f"\nclass {name}" in text
        text = text.partition(f"\nclass {name}")[2].partition("\nclass ")[0]
    assert re.search(rf"def {names[-1]}\(", text)


@pytest.mark.parametrize("named", FILES)
def test_every_file_is_there(named: str) -> None:
    assert Path(ROOT, named).is_file()
