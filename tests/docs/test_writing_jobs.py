"""The jobs on the page about writing jobs run."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import DOCS, blocks
from tests.docs.walk import Walk

PAGE = DOCS / "writing-jobs.md"


def test_every_block_runs(tmp_path: Path) -> None:
    """One after the other, as one program, with the configuration of the page; those that name a file are tests."""
    walk = Walk(tmp_path)
    python = blocks(PAGE, "python")
    (tmp_path / "storage/app/public").mkdir(parents=True)
    (tmp_path / "storage/exports").mkdir(parents=True)
    walk.write("conf/queue.toml", "".join(block.text.replace('"redis"', '"none"') for block in blocks(PAGE, "toml")))
    walk.write("program.py", "\n".join(block.text for block in python if not block.file))
    for block in python:
        if block.file:
            walk.write(block.file, block.text)
    shown = walk.run("queuectl migrate -q && python program.py && python -m pytest -q -p no:cacheprovider")
    for line in EXPECTED:
        assert line in shown, f"{line!r} is not in\n{shown}"


EXPECTED = (
    "welcome, user 1 (fr)",
    "169.90 EUR 2026-12-01",
    "SendWelcome cannot take these arguments: user_id='seven': input should be a valid integer",
    "report of 2026-11, attempt 1",
    "fetched https://example.com/b",
    "import of prices.csv gave up: prices.csv has no header",
    "to user 2 : Payslip",
    "7.jpg (1200, 900)\n7_thumb.jpg (300, 225)",
    "b'Awa\\nMarc'",
    "2 passed",
)
