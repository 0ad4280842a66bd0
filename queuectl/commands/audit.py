"""`audit`: who changed what, when, and how much of it."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer

from queuectl.commands.deeds import Deed, deeds
from queuectl.commands.listing import Form, Listing
from queuectl.commands.options import Connection, Ids, Json, Jsonl
from queuectl.commands.session import Session
from queuectl.commands.text import shortened
from queuectl.commands.times import iso, local, moment

HEADER = ("OPERATION", "AT", "WHO", "COMMAND", "CHANGED", "UNDO")
COMMAND_CELLS = 200
NOTHING = "Nobody has changed anything within the last 30 days."


def audit(
    context: typer.Context,
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Not older than 2h, or than a date.")] = "",
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many.", show_default=False)
    ] = None,
    connection: Connection = "",
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    ids: Ids = False,
) -> int:
    """List what operators did within 30 days, newest first: who, when, how much, and what can be undone."""
    session = Session.of(context)
    form = Form.chosen(as_json=as_json, as_jsonl=as_jsonl, ids=ids)
    now = session.app.clock.now()
    after = moment(since, now, "--since") if since else 0.0
    found, missed = deeds(session, connection)
    recent = (deed for deed in found if deed.operation.at >= after)
    _listing(now).show(session.output, islice(recent, limit), form)
    return missed


def _listing(now: float) -> Listing[Deed]:
    return Listing(
        HEADER, lambda deed: _to_row(deed, now), lambda deed: _to_json(deed, now), lambda deed: deed.id, NOTHING
    )


def _to_json(deed: Deed, now: float) -> dict[str, Any]:
    operation, undone_at, kept_until = deed.operation, deed.undone_at, deed.kept_until
    return {
        "id": deed.id,
        "verb": operation.verb,
        "command": operation.words,
        "who": operation.who,
        "started_at": iso(operation.at),
        "count": deed.count,
        "connections": sorted(deed.by_store),
        "undoable": deed.can_be_undone(now),
        "kept_until_at": None if kept_until is None else iso(kept_until),
        "undone_at": None if undone_at is None else iso(undone_at),
    }


def _to_row(deed: Deed, now: float) -> tuple[str, ...]:
    operation = deed.operation
    return (
        deed.id,
        local(operation.at),
        operation.who,
        shortened(operation.words, COMMAND_CELLS),
        str(deed.count),
        _undo(deed, now),
    )


def _undo(deed: Deed, now: float) -> str:
    if deed.undone_at is not None:
        return "undone"
    return "yes" if deed.can_be_undone(now) else "-"
