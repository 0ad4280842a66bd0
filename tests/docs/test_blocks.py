"""What a page shows as code is code, and what it shows as configuration is accepted."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent

import pytest
import tomli
from dotenv import dotenv_values

from queuectl.config.loading import load
from queuectl.config.schema import ENVIRONMENT
from tests.docs.pages import Block, all_blocks

OTHER_TOML = ("pyproject.toml",)


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_python_compiles(block: Block) -> None:
    """Where a page leaves the function out, too, that an `await` or a `yield` stands in."""
    compile(f"async def page():\n{indent(block.text, '    ')}", str(block), "exec")


@pytest.mark.parametrize("block", all_blocks("toml"), ids=str)
def test_configuration_is_accepted(block: Block, tmp_path: Path) -> None:
    """TOML of every kind parses; what is a `queue.toml` resolves, with all the names in it."""
    tomli.loads(block.text)
    if not block.file.endswith(OTHER_TOML):
        (tmp_path / "queue.toml").write_text(block.text)
        load(tmp_path / "queue.toml", env={}, start=tmp_path)


@pytest.mark.parametrize("block", all_blocks("ini"), ids=str)
def test_variables_are_read(block: Block, tmp_path: Path) -> None:
    """A `.env` sets what the program looks for."""
    (tmp_path / ".env").write_text(block.text)
    names = dotenv_values(tmp_path / ".env")
    assert names
    for name in names:
        assert name in ENVIRONMENT or (name.startswith("QUEUE_") and name.endswith("_URL")), f"{block}: {name}"


def test_json_parses() -> None:
    """Wherever there is some."""
    for block in all_blocks("json"):
        json.loads(block.text)
