"""Do what a page says, in an empty folder, and compare what comes out with what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import Block, blocks

ANYTHING = "..."
"""A line of a page that stands for lines left out."""
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"\b[\d,.]+ms\b|\b(\d+[hm] )*\d+s\b"), "DURATION"),
    (re.compile(r"\d+ seconds? ago"), "AGO"),
    (re.compile(r" \.+ "), " … "),
    (re.compile(r"\s+"), " "),
)


class Walk:
    """A folder in which a page's files are written and its commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUEUE", "REDIS_URL"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        self.environment = {**kept, "PATH": path, "COLUMNS": "80", "PYTHONWARNINGS": "error", "NO_COLOR": "1"}

    def write(self, file: str, text: str) -> None:
        target = self.folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def run(self, command: str) -> str:
        """What a terminal would show; an exit code of a mistake is one here too."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (0, 4), f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def follow(self, page: Path) -> int:
        """Write what is a file, run what is a command; how many commands there were."""
        count = 0
        for block in blocks(page, "python", "toml", "console"):
            if block.language == "console":
                for command, shown in steps(block):
                    compare(f"{block} {command}", shown, self.run(command))
                    count += 1
            elif block.file:
                self.write(block.file, block.text)
        return count


def steps(block: Block) -> Iterator[tuple[str, str]]:
    """Each command with what the page shows below it."""
    for step in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = step.partition("\n")
        yield command, shown


def compare(what: str, shown: str, found: str) -> None:
    """Every line that is shown was there; and, unless the page leaves lines out, no other. Streams may overtake."""
    expected, actual = Counter(_essence(shown)), Counter(_essence(found))
    partly = expected.pop(ANYTHING, 0)
    assert not expected - actual, f"{what}: shown, but not there:\n{expected - actual}\n{found}"
    assert partly or not actual - expected, f"{what}: there, but not shown:\n{actual - expected}"


def _essence(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for pattern, word in _CHANGING:
            line = pattern.sub(word, line)
        if line.strip():
            yield line.strip()
