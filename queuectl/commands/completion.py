"""`completion`: TAB for bash, zsh and fish."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from queuectl.commands.completion_scripts import SCRIPTS
from queuectl.commands.exit_codes import DONE
from queuectl.commands.session import Session
from queuectl.config.checking import did_you_mean
from queuectl.errors import UsageError


def completion(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell that is to learn it.")],
    words: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
) -> int:
    """Print a script that completes commands, options and names; its first lines say where it goes."""
    session = Session.of(context)
    if shell not in SCRIPTS:
        raise UsageError(
            f"There is no completion for {shell!r}.{did_you_mean(shell, SCRIPTS)}", hint=f"Known: {', '.join(SCRIPTS)}."
        )
    if words is None:
        session.output.line(SCRIPTS[shell])
    else:
        _answer(session, words)
    return DONE


def _answer(session: Session, words: list[str]) -> None:
    """What the script asks at each TAB: the words so far, the last one being typed. A line each, with what it is.

    Whatever is wrong is no matter here: there is nothing to offer then, and a command will say why.
    """
    from queuectl.commands.completing import candidates

    with suppress(Exception):
        session.output.lines([f"{one.text}\t{one.help}" for one in candidates(session, words)])
