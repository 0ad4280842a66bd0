"""Keys of a real terminal, one at a time, and the terminal as it was afterwards."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from queuectl.commands.keyboard import DOWN, ESCAPE, QUIT, UP, Keyboard
from tests.acceptance.project import until
from tests.unit.cli.conftest import Site

SOON = 5.0


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """What a person types into, and what a program reads from."""
    typed, read = os.openpty()
    with os.fdopen(read, "r") as stream:
        yield typed, stream
    os.close(typed)


def test_keys_come_one_by_one(terminal: tuple[int, TextIO]) -> None:
    """Also those that came together, without a return key."""
    typed, stream = terminal
    with Keyboard(stream) as keyboard:
        os.write(typed, b"p\x1b[A\x1bOBR")
        assert [keyboard.next(SOON) for _ in range(4)] == ["p", UP, DOWN, "r"]
        assert keyboard.next(0.0) is None


def test_an_escape_is_a_key_too(terminal: tuple[int, TextIO]) -> None:
    """Alone, or before what means nothing here."""
    typed, stream = terminal
    with Keyboard(stream) as keyboard:
        for sent in (b"\x1b", b"\x1b[15~"):
            os.write(typed, sent)
            assert keyboard.next(SOON) == ESCAPE
        os.write(typed, b"q")
        assert keyboard.next(SOON) == "q"


def test_the_terminal_is_as_it_was(terminal: tuple[int, TextIO]) -> None:
    _, stream = terminal
    before = termios.tcgetattr(stream)
    with Keyboard(stream):
        assert termios.tcgetattr(stream) != before
    assert termios.tcgetattr(stream) == before


def test_a_terminal_that_is_closed_means_quit() -> None:
    typed, read = os.openpty()
    with os.fdopen(read, "r") as stream, Keyboard(stream) as keyboard:
        os.close(typed)
        assert keyboard.next(SOON) == QUIT


def test_what_is_no_terminal_has_no_keys(tmp_path: Path) -> None:
    """Its bytes are somebody else's."""
    (tmp_path / "keys").write_text("q")
    with (tmp_path / "keys").open() as stream, Keyboard(stream) as keyboard:
        assert keyboard.next(0.0) is None
        assert stream.read() == "q"


def test_top_on_a_real_terminal(ready: Site) -> None:
    """TERM ends it in good order: the screen is left, and lines are edited again."""
    ready.push("mail")
    typed, read = os.openpty()
    before = termios.tcgetattr(read)
    script = Path(sys.executable).with_name("queuectl")
    child = os.posix_spawn(
        script,
        [str(script), "top"],
        {**os.environ, "TERM": "xterm"},
        file_actions=[(os.POSIX_SPAWN_DUP2, read, number) for number in (0, 1, 2)],
    )
    shown = b""

    def is_drawn() -> bool:
        nonlocal shown
        shown += os.read(typed, 65536)
        return b"q quit" in shown

    until(is_drawn, "a screen")
    assert b"mail" in shown
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert os.read(typed, 65536).endswith(b"\x1b[?1049l")
    assert termios.tcgetattr(read) == before
    for descriptor in (typed, read):
        os.close(descriptor)
