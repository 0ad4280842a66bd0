"""docs/commands.md is what the program says of itself."""

from __future__ import annotations

from queuectl.commands import COMMANDS
from queuectl.commands.reference import reference
from tests.docs.pages import DOCS

MAKES_IT = "python -m queuectl.commands.reference > docs/commands.md"


def test_the_page_is_current() -> None:
    """Word for word; a change of an option changes the page."""
    assert (DOCS / "commands.md").read_text() == reference(), MAKES_IT


def test_every_command_and_every_other_name_is_on_it() -> None:
    """With its panel's commands, once."""
    text = reference()
    for spec in COMMANDS:
        assert text.count(f"### queuectl {spec.name}\n") == 1
        assert all(f"`{alias}`" in text for alias in spec.aliases)
