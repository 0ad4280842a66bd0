"""docs/screens.md shows what the program draws, and its colours suit dark and light terminals alike."""

from __future__ import annotations

import re

import pytest

from queuectl.commands.text import visible
from queuectl.commands.text import width as cells_of
from tests.docs.screens import PAGE, SCREENS, WIDTHS, page, screens, studio

SGR = re.compile(r"\x1b\[([0-9;]*)m")
BOLD, DIM, REVERSE = 1, 2, 7
RED, GREEN, YELLOW, CYAN = 31, 32, 33, 36
READABLE = {0, BOLD, DIM, REVERSE, RED, GREEN, YELLOW, CYAN}
"""Colours that every theme, dark or light, sets off against its own background."""
COMMANDS = [words for _, words in SCREENS if words != ("top",)]


def test_the_page_is_what_the_program_draws() -> None:
    """`python -m tests.docs.screens` writes it."""
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Lines of a shell's commands apart, which nobody could copy in two pieces."""
    for words, screen in screens(width).items():
        lines = [line for line in screen.splitlines() if not line.startswith("Do ")]
        assert max(map(cells_of, lines)) <= width, words


def test_colours_suit_dark_and_light_terminals() -> None:
    """No background, no black, white or gray, which one of the two would swallow; and without colours the words are
    the same."""
    with studio(80) as seen:
        for words in COMMANDS:
            coloured = seen.run(words, {"TERM": "xterm"})
            codes = {int(code or 0) for part in SGR.findall(coloured) for code in part.split(";")}
            assert codes <= READABLE, words
            assert [line.rstrip() for line in visible(coloured).splitlines()] == [
                line.rstrip() for line in seen.run(words).splitlines()
            ]
