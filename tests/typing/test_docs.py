"""The examples of the pages are right by mypy --strict and by pyright, but for the line that shows a mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, Block, blocks

PAGES = ("writing-jobs.md", "features.md")
MISTAKE, INSTEAD = 'dispatch(user_id="seven")', "dispatch(user_id=7)"
"""What a page shows to be refused, and the checkers refuse as well."""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The blocks of each page as one program, and the files that they name beside it."""
    for page in PAGES:
        found = blocks(DOCS / page, "python")
        _write(tmp_path / page.replace("-", "_").replace(".md", ".py"), [block for block in found if not block.file])
        for block in found:
            if block.file:
                _write(tmp_path / Path(block.file).name, [block])
    return tmp_path


def _write(file: Path, found: list[Block]) -> None:
    file.write_text("\n".join(block.text for block in found).replace(MISTAKE, INSTEAD))


def test_mypy_finds_nothing(program: Path) -> None:
    """At its strictest."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), "."]
    command += ["--cache-dir", str(ROOT / ".mypy_cache")]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}  # an editable installation is found by an import hook only
    ran = subprocess.run(command, cwd=program, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_pyright_finds_nothing(program: Path) -> None:
    """In its standard mode."""
    settings = {"typeCheckingMode": "standard", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (program / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "."]
    ran = subprocess.run(command, cwd=program, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
