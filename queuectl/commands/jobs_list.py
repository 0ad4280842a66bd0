"""`jobs:list`: the jobs in the queues, whatever state they are in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from queuectl.commands.exit_codes import FAILED
from queuectl.commands.filters import Filter, filtered
from queuectl.commands.listing import Counted, Form
from queuectl.commands.options import Connection, Ids, Json, Jsonl, QueuedIds
from queuectl.commands.output import Output
from queuectl.commands.progress import Progress
from queuectl.commands.queued import STATES, Queued, reachable_queues
from queuectl.commands.queued_rows import listing
from queuectl.commands.selection import select
from queuectl.commands.session import Session
from queuectl.config.checking import did_you_mean
from queuectl.errors import UsageError

ORDER = ("reserved", "ready", "delayed", "parked")
NOT_FOUND = "Unable to find job with ID [{}]."
SCREENFUL = 100
"""Rows that a terminal is shown where nobody said how many: there may be a million."""


@filtered
def jobs_list(
    context: typer.Context,
    filters: Filter,
    ids: QueuedIds = None,
    state: Annotated[
        str, typer.Option("--state", metavar="STATE", help="Only those ready, delayed, reserved or parked.")
    ] = "",
    connection: Connection = "",
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    only_ids: Ids = False,
) -> int:
    """List the jobs that wait or run. What can be dispatched is listed by `queuectl jobs`."""
    session = Session.of(context)
    output, form = session.output, Form.chosen(as_json=as_json, as_jsonl=as_jsonl, ids=only_ids)
    filters.require_waiting()
    states = _states(state)
    selection = select(session, ids or ["all"], filters=filters, noun="jobs")
    queues, missed = reachable_queues(session, connection)
    with Progress(output, "jobs looked at", lambda: queues.total(selection)) as progress:
        rows = Counted(queues.of(selection, states, passing=iter if output.is_terminal else progress.over))
        listing(output, session.app.clock.now()).show(output, _screenful(output, form, filters, iter(rows)), form)
    if not rows.count:
        for sentence in queues.doubts(filters):
            output.warn(sentence)
    for key in selection.missing:
        output.error(NOT_FOUND.format(key))
    return FAILED if selection.missing else missed


def _states(word: str) -> tuple[str, ...]:
    if not word:
        return ORDER
    if word not in STATES:
        raise UsageError(f"--state: {word!r} is no state.{did_you_mean(word, STATES)}", hint=f"{', '.join(STATES)}.")
    return (word,)


def _screenful(output: Output, form: Form, filters: Filter, rows: Iterator[Queued]) -> Iterator[Queued]:
    """All that a script asked for; as much as a person reads, and a word if there is more."""
    if filters.limit is not None or form is not Form.TABLE or not output.is_terminal:
        yield from rows
        return
    yield from islice(rows, SCREENFUL)
    if next(rows, None) is not None:
        output.info(f"These are the first {SCREENFUL}. --limit N shows more of them.")
