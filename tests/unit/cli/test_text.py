"""Nothing that came from a store may steer a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuectl.commands.text import columns, leader, padded, plural, safe, shortened, width


@pytest.mark.fault("X11")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("one\ntwo\r\tthree", "one\\ntwo\\r\\tthree"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("a\u200bb\ufeffc", "a\\u200bb\\ufeffc"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("naïve 日本 😀 [/red]", "naïve 日本 😀 [/red]"),
    ],
)
def test_what_a_terminal_might_obey_is_escaped(text: str, shown: str) -> None:
    """Control, direction and invisible characters become visible; letters of any language stay."""
    assert safe(text) == shown


def test_blocks_keep_their_line_ends() -> None:
    """A traceback is read line by line; everything else in it is escaped all the same."""
    assert safe("a\n\tb\x1bc\r", lines=True) == "a\n\tb\\x1bc\\r"


@pytest.mark.fault("X11")
@given(st.text())
def test_safe_text_is_printable(text: str) -> None:
    """Whatever comes in, what goes out has no control and no format character in it."""
    assert all(character.isprintable() or not character.isascii() for character in safe(text))
    assert safe(text).encode().decode() == safe(text)
    assert not set(safe(text)) & set("\x1b\x9b\x07\n\r\u202e\u2066\u200b")


@pytest.mark.parametrize(("text", "cells"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_width_counts_cells(text: str, cells: int) -> None:
    """Wide characters take two cells, combining ones none."""
    assert width(text) == cells


def test_shortened_text_fits() -> None:
    """The ellipsis is part of the room, and no wide character is cut in two."""
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("日本語", 4) == "日…"
    assert shortened("abc", 3) == "abc"


def test_columns_are_aligned_by_cells() -> None:
    """Names in any script line up."""
    assert columns([("A", "B"), ("日本", "x"), ("y", "")]) == ["A     B", "日本  x", "y"]
    assert padded("日", 4) == "日  "


def test_the_leader_fills_the_line() -> None:
    """Two columns with dots between; colours take no room; at least one dot."""
    assert leader("left", "right", 20) == "  left ..... right"[:4] + "ft ....... right"
    assert len(leader("left", "right", 60)) == 60
    assert width(leader("left", "\x1b[32mOK\x1b[0m", 40)) == 40 + len("\x1b[32m\x1b[0m")
    assert leader("x" * 30, "right", 20).endswith("x . right")


def test_plural() -> None:
    """One job, two jobs."""
    assert [plural(0, "job"), plural(1, "job"), plural(2, "job")] == ["0 jobs", "1 job", "2 jobs"]
