"""`migrate`: create the tables, or give those that are there what they lack."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.databases import databases
from queuectl.commands.exit_codes import DONE
from queuectl.commands.options import Json
from queuectl.commands.output import Output
from queuectl.commands.recording import Recording
from queuectl.commands.session import Session
from queuectl.commands.text import leader, safe


def migrate(
    context: typer.Context,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", show_default=False)] = "",
    sql: Annotated[bool, typer.Option("--sql", help="Print the statements that make the tables; run nothing.")] = False,
    shared_index: Annotated[
        bool, typer.Option("--shared-index", help="MySQL: the index for reserving, also on a table Laravel made.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Create or upgrade the tables of every configured database. Safe to run twice, and while workers run."""
    from queuectl.migrations import ddl
    from queuectl.migrations import migrate as bring_up

    session = Session.of(context)
    table = session.config.notifications["table"]
    found = databases(session, connection)
    if sql:
        _print_sql(session.output, {one.name: ddl(one, notifications_table=table) for one in found}, as_json=as_json)
        return DONE
    done: dict[str, list[str]] = {}
    with Recording(session, "migrate") as recording:
        for settings in found:
            done[settings.name] = bring_up(settings, notifications_table=table, shared_index=shared_index)
            recording.add(session.app.driver(settings.name), len(done[settings.name]))
            if not as_json:
                _show(session, settings.name, done[settings.name])
    if as_json:
        session.output.json(done)
    return DONE


def _print_sql(output: Output, statements: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        output.json(statements)
    else:
        output.lines(text.rstrip("\n") for text in statements.values())


def _show(session: Session, name: str, steps: list[str]) -> None:
    output = session.output
    if not steps:
        output.info(f"Nothing to migrate on [{name}].")
    if output.quiet:
        return
    for step in steps:
        output.line(leader(f"[{safe(name)}] {safe(step)}", output.style("DONE", "green", "bold"), output.width))
