"""The page about what jobs can do does what it says."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import DOCS, blocks
from tests.docs.walk import Walk

PAGE = DOCS / "features.md"


def test_every_block_runs(tmp_path: Path) -> None:
    """One after the other, as one program, with the configuration of the page."""
    walk = Walk(tmp_path)
    [configuration] = [block.text for block in blocks(PAGE, "toml") if block.file]
    walk.write("conf/queue.toml", configuration)
    python = blocks(PAGE, "python")
    walk.write("program.py", "\n".join(block.text for block in python if not block.file))
    for block in python:
        if block.file:
            walk.write(block.file, block.text)
    shown = walk.run("python program.py && python -m pytest -q -p no:cacheprovider")
    for line in EXPECTED:
        assert line in shown, f"{line!r} is not in\n{shown}"


EXPECTED = (
    "shelf 4 counted\nCountStock took no time",
    "index of north",
    "order 0 charged\norder 1 charged\n['Done', 'Done', 'Release']",
    "['Done', 'Failed']",
    "receipt of order 12, asked for by request 7f3a",
    "Broken goes to default\nBroken failed at attempt 1: no such shelf",
    "1\nreceipt of order 13, asked for by request 8c01",
    "2 passed",
    "Progress(fraction=1, text='all rows')",
    "report of 2026-11",
    "index of south\n3 jobs done",
    "ticket for seat 1\nticket for seat 2\n0 jobs before the commit\ncache of seat 5\npayment: Done(",
    "invoice 7 is not there yet: attempt 1\nRelease(after=3600.0, spared=True)",
)
