"""`help`: a command's own words, or the exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from queuectl.commands.exit_codes import DONE, MEANINGS
from queuectl.commands.session import Session

if TYPE_CHECKING:
    from queuectl.commands.group import CommandGroup

TOPIC = "exit-codes"


def help_(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="COMMAND|exit-codes", show_default=False)] = "",
) -> int:
    """Explain a command, or the exit codes that all of them share."""
    output = Session.of(context).output
    if topic == TOPIC:
        for code, meaning in MEANINGS:
            output.line(f"{code:>4}  {meaning}")
        return DONE
    root = context.find_root()
    if not topic:
        output.line(root.get_help())
        return DONE
    command = cast("CommandGroup", root.command).require_command(root, topic, TOPIC)
    with command.make_context(topic, [], parent=root, resilient_parsing=True) as inner:
        output.line(inner.get_help())
    return DONE
