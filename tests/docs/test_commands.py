"""Every command that a page tells people to run exists, with those options."""

from __future__ import annotations

from io import StringIO

import pytest
import typer

from queuectl.commands.group import UsageProblem, build
from queuectl.commands.output import Output
from queuectl.commands.session import Session
from queuectl.errors import UsageError
from tests.docs.pages import Call, calls

CALLS = {f"queuectl {' '.join(call.words)}": call for call in calls()}


def understood(words: tuple[str, ...], *, whole: bool = True) -> None:
    """Parse them as the program would, and run nothing. Not *whole*: arguments may be left out."""
    group = build()
    try:
        with group.make_context(
            "queuectl", list(words), obj=Session(Output(StringIO(), StringIO(), StringIO()))
        ) as outer:
            name, command, rest = group.resolve_command(outer, [*outer._protected_args, *outer.args])
            assert command is not None
            with command.make_context(name, rest, parent=outer):
                pass
    except (typer.Exit, SystemExit):  # --help and --version
        pass
    except UsageProblem as problem:
        if whole or type(problem).__name__ != "MissingParameter":
            raise


@pytest.mark.parametrize("call", CALLS.values(), ids=str)
def test_it_is_understood(call: Call) -> None:
    """By the program's own parser."""
    understood(call.words, whole=call.whole)


def test_there_are_many() -> None:
    """They are found at all."""
    assert len(CALLS) > 50


@pytest.mark.parametrize("words", [("wrok",), ("work", "--tires=3"), ("failed", "--max", "many"), ("dispatch",)])
def test_a_mistake_would_be_seen(words: tuple[str, ...]) -> None:
    with pytest.raises((UsageProblem, UsageError)):
        understood(words)
