"""`queue:prune-failed`: delete old failed jobs without asking; written for cron."""

from __future__ import annotations

from math import inf, nextafter
from typing import Annotated

import typer

from queuectl.commands.batches import Tally
from queuectl.commands.deleting import delete
from queuectl.commands.failed_stores import reachable
from queuectl.commands.filters import Filter
from queuectl.commands.options import Connection, DryRun, Foreign, Json
from queuectl.commands.selection import Selection
from queuectl.commands.session import Session
from queuectl.commands.times import from_hours


def prune_failed(
    context: typer.Context,
    hours: Annotated[
        float, typer.Option("--hours", metavar="N", min=0, help="Keep those that failed less than this ago.")
    ] = 24,
    connection: Connection = "",
    dry_run: DryRun = False,
    foreign: Foreign = False,
    as_json: Json = False,
) -> int:
    """Delete the jobs that failed more than some hours ago. Asks nothing, so that cron can run it."""
    session = Session.of(context)
    older = Filter(before=nextafter(session.app.clock.now() - from_hours(hours), inf))
    jobs, missed = reachable(session, connection)
    tally = Tally("deleted", "DELETED", missed=missed)
    selection = Selection(everything=True, filters=older, foreign=foreign)
    delete(session, "prune-failed", jobs, selection, tally, keep=False, dry_run=dry_run, as_json=as_json)
    if as_json:
        session.output.json({"deleted": tally.done, "dry_run": dry_run})
    else:
        session.output.info(f"{tally.done} entries {'would be deleted' if dry_run else 'deleted'}.")
    return missed
