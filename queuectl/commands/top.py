"""`queue:top`: everything at a glance, again and again."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.addresses import split_list
from queuectl.commands.exit_codes import DONE, PARTLY
from queuectl.commands.filters import Filter
from queuectl.commands.options import Connection, Json
from queuectl.commands.output import Output
from queuectl.commands.reach import places, stores
from queuectl.commands.session import Session
from queuectl.commands.text import columns
from queuectl.commands.times import local, seconds
from queuectl.commands.top_history import History
from queuectl.commands.top_look import Look, Wanted, take
from queuectl.commands.top_tables import headline, tables
from queuectl.errors import UsageError

FASTEST = 0.5


def top(
    context: typer.Context,
    queue: Annotated[
        list[str] | None, typer.Option("--queue", metavar="GLOB", help="Only such queues; may be said several times.")
    ] = None,
    connection: Connection = "",
    every: Annotated[str, typer.Option("--every", metavar="TIME", help="From one look to the next.")] = "1",
    once: Annotated[bool, typer.Option("--once", help="One look, and out.")] = False,
    as_json: Json = False,
) -> int:
    """Queues, workers and failures at a glance. On a terminal it goes on until q; elsewhere it is one look."""
    session = Session.of(context)
    pause = seconds(every, "--every")
    if pause < FASTEST:
        raise UsageError(f"--every: {every} is too short. Two looks a second are the most: {FASTEST:g}.")
    wanted = Wanted(_connections(session, connection), Filter(queues=_patterns(queue or [])))
    look = take(session, wanted)
    if as_json:
        session.output.json(look.to_json())
    elif once or not (wanted.connections and _is_live(session.output)):
        _show(session, look)
    else:
        from queuectl.commands.top_live import run

        run(session, wanted, look, every=pause)
        return DONE
    return PARTLY if look.lost else DONE


def _connections(session: Session, chosen: str) -> list[str]:
    return stores(session, chosen) if chosen else places(session)


def _patterns(words: list[str]) -> tuple[str, ...]:
    return tuple(queue for one in words for queue in split_list(one))


def _is_live(output: Output) -> bool:
    return output.is_terminal and output.environment.get("TERM") not in ("dumb", "unknown")


def _show(session: Session, look: Look) -> None:
    """One look: drawn on a terminal, whole lines elsewhere."""
    if session.output.is_terminal:
        from queuectl.commands.top_live import print_once

        print_once(session.output, look)
    else:
        _print(session.output, look)
    for name, error in look.lost.items():
        session.tell(error, f"[{name}] {error}", None)


def _print(output: Output, look: Look) -> None:
    history = History()
    output.line(f"{local(look.at)}  {headline(look, history)}")
    for table in tables(look, history):
        output.line()
        output.lines(
            columns([tuple(table.header), *(row.cells for row in table.rows)]) if table.rows else [table.empty]
        )
