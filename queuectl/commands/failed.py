"""`queue:failed`: the jobs that failed for good, of every connection, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated

import typer

from queuectl.commands.exit_codes import THRESHOLD
from queuectl.commands.failed_rows import HEADER, HEADER_OF_ONE_ID, to_json, to_row, with_one_id
from queuectl.commands.failed_stores import doubt_queue, reachable
from queuectl.commands.options import Connection, Ids, Json
from queuectl.commands.output import Output
from queuectl.commands.session import Session
from queuectl.commands.text import safe
from queuectl.commands.times import moment
from queuectl.errors import UsageError
from queuectl.failing import Located

TABLE_ROWS = 200
"""Rows that one table holds: each is drawn whole, and there may be a million."""
NARROW = 120
"""Columns of a terminal that is too small for two ids a row."""


class Counted:
    """Passes items on and knows how many they were."""

    def __init__(self, items: Iterable[Located]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[Located]:
        for item in self._items:
            self.count += 1
            yield item


def failed(
    context: typer.Context,
    queue: Annotated[str, typer.Option("--queue", metavar="NAME", help="Only this queue.")] = "",
    connection: Connection = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Not older than 2h, or than a date.")] = "",
    max_: Annotated[
        int | None,
        typer.Option("--max", metavar="N", min=0, help="Exit 4 if there are more than this.", show_default=False),
    ] = None,
    as_json: Json = False,
    ids: Ids = False,
) -> int:
    """List the jobs that failed for good, newest first."""
    session = Session.of(context)
    if as_json and ids:
        raise UsageError("Give --json or --ids, not both.")
    jobs, missed = reachable(session, connection)
    after = moment(since, session.app.clock.now(), "--since") if since else None
    rows = jobs.all(queue or None)
    # every row is looked at: those that came from another store later are not in the order they failed in
    counted = Counted(row for row in rows if after is None or row.job.failed_at >= after)
    _show(session.output, counted, as_json=as_json, ids=ids)
    if not counted.count:
        doubt_queue(session, jobs, queue)
    return THRESHOLD if max_ is not None and counted.count > max_ else missed


def _show(output: Output, rows: Iterable[Located], *, as_json: bool, ids: bool) -> None:
    """Everything is read to the end, even where nobody reads us any more: the count decides the exit code."""
    if as_json:
        output.json_array(map(to_json, rows))
    elif ids:
        for row in rows:
            output.line(safe(row.job.uuid) if output.is_terminal else row.job.uuid)
    else:
        _print(output, iter(rows))


def _print(output: Output, rows: Iterator[Located]) -> None:
    first = True
    narrow = output.is_terminal and output.width < NARROW
    while page := [to_row(row) for row in islice(rows, TABLE_ROWS)]:
        if narrow:
            output.table(HEADER_OF_ONE_ID, [with_one_id(row) for row in page])
        else:
            output.table(HEADER, page)
        first = False
    if first:
        output.info("No failed jobs found.")
