"""`queue:prune-failed`: delete old failed jobs without asking; written for cron."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.failed_stores import reachable
from queuectl.commands.options import Connection, DryRun, Foreign, Json
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
    jobs, missed = reachable(session, connection)
    before = session.app.clock.now() - from_hours(hours)
    deleted = jobs.count(before=before, foreign=foreign) if dry_run else jobs.flush(before=before, foreign=foreign)
    if as_json:
        session.output.json({"deleted": deleted, "dry_run": dry_run})
    else:
        session.output.info(f"{deleted} entries {'would be deleted' if dry_run else 'deleted'}.")
    return missed
