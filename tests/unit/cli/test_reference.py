"""docs/cli.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from queuectl.commands import COMMANDS, Spec
from queuectl.commands.exit_codes import MEANINGS
from queuectl.commands.group import load

TEXT = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
EVERYWHERE = {"--config", "--quiet", "--silent", "--verbose", "--no-interaction"}


def test_every_command_has_its_section() -> None:
    """And every section its command."""
    assert list(SECTIONS) == [spec.name for spec in COMMANDS]


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_every_option_is_explained(spec: Spec) -> None:
    """Under its own name, in the section of its command."""
    options = [option for option in load(spec, spec.name).params if not getattr(option, "hidden", False)]
    names = {name for option in options for name in option.opts if name.startswith("--")} - EVERYWHERE
    assert {name for name in names if f"{name}" not in SECTIONS[spec.name]} == set()


def test_the_exit_codes_are_the_programs() -> None:
    """Word for word."""
    for code, meaning in MEANINGS:
        assert f"| {code} | {meaning} |" in TEXT
