"""`queue:failed`: the jobs that failed for good, of every connection, newest first or by what they have in common."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import islice
from typing import Annotated

import typer

from queuectl.commands.exit_codes import FAILED, THRESHOLD
from queuectl.commands.failed_groups import grouped, show_groups
from queuectl.commands.failed_rows import HEADER, HEADER_OF_ONE_ID, NARROW, to_json, to_row, to_row_with_one_id
from queuectl.commands.failed_stores import doubt_names, looking_at, reachable
from queuectl.commands.filters import Filter, filtered
from queuectl.commands.listing import Counted, Form, Listing
from queuectl.commands.options import Connection, FailedIds, Ids, Json, Jsonl
from queuectl.commands.output import Output
from queuectl.commands.selection import Selection, select
from queuectl.commands.session import Session
from queuectl.errors import UsageError
from queuectl.failing import FailedJobs, Located

NOTHING = "No failed jobs found."
NOT_FOUND = "Unable to find failed job with ID [{}]."


@filtered
def failed(
    context: typer.Context,
    filters: Filter,
    ids: FailedIds = None,
    group: Annotated[
        bool, typer.Option("--group", help="By what they have in common; with a fingerprint, the jobs of that group.")
    ] = False,
    connection: Connection = "",
    max_: Annotated[
        int | None,
        typer.Option("--max", metavar="N", min=0, help="Exit 4 if there are more than this.", show_default=False),
    ] = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    only_ids: Ids = False,
) -> int:
    """List the jobs that failed for good, newest first. Those of a PHP application are among them."""
    session = Session.of(context)
    form = Form.chosen(as_json=as_json, as_jsonl=as_jsonl, ids=only_ids)
    words, limit = list(ids or []), filters.limit
    filters = replace(filters, limit=None)  # how many are shown; --max is about how many there are
    if group and words:
        filters, words, group = replace(filters, group=_only(words)), [], False
    selection = select(session, words or ["all"], filters=filters, foreign=True)
    jobs, missed = reachable(session, connection)
    with looking_at(session, selection, jobs) as progress:
        is_streaming = session.output.is_terminal and not group  # its own rows show how far it is
        rows = Counted(selection.of(jobs, passing=iter if is_streaming else progress.over))
        if group:
            groups = grouped(rows)
            progress.hide()
            show_groups(session.output, groups, form, limit, now=session.app.clock.now())
        else:
            _listing(session.output).show(session.output, islice(rows, limit), form)
        if max_ is not None:
            deque(rows, maxlen=0)
    return _close(session, jobs, selection, rows.count, missed=missed, most=max_)


def _only(words: list[str]) -> str:
    """The one fingerprint."""
    if len(words) > 1:
        raise UsageError("--group: give one fingerprint, or the beginning of one.")
    return words[0]


def _listing(output: Output) -> Listing[Located]:
    if output.is_terminal and output.width < NARROW:
        return Listing(HEADER_OF_ONE_ID, to_row_with_one_id, to_json, _uuid, NOTHING)
    return Listing(HEADER, to_row, to_json, _uuid, NOTHING)


def _uuid(row: Located) -> str:
    return row.job.uuid


def _close(
    session: Session, jobs: FailedJobs, selection: Selection, count: int, *, missed: int, most: int | None
) -> int:
    """What is to be said at the end, and the exit code."""
    if not count:
        doubt_names(session, jobs, selection.filters)
    for key in selection.missing:
        session.output.error(NOT_FOUND.format(key))
    if most is not None and count > most:
        return THRESHOLD
    return FAILED if selection.missing else missed
