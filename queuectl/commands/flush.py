"""`queue:flush`: delete all failed jobs, or those older than some hours."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.exit_codes import DECLINED, DONE
from queuectl.commands.failed_stores import reachable
from queuectl.commands.options import Connection, DryRun, Force, Foreign, Json
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.commands.times import from_hours


def flush(
    context: typer.Context,
    hours: Annotated[
        float | None,
        typer.Option(
            "--hours", metavar="N", min=0, help="Only those that failed so many hours ago.", show_default=False
        ),
    ] = None,
    connection: Connection = "",
    force: Force = False,
    dry_run: DryRun = False,
    foreign: Foreign = False,
    as_json: Json = False,
) -> int:
    """Delete all failed jobs, or those that failed more than some hours ago."""
    session = Session.of(context)
    jobs, missed = reachable(session, connection)
    before = None if hours is None else session.app.clock.now() - from_hours(hours)
    count = jobs.count(before=before, foreign=foreign)
    if (
        not (force or dry_run)
        and count
        and not session.confirm(f"Delete {plural(count, 'failed job')}?", flag="--force")
    ):
        session.output.warn("Command cancelled.")
        return DECLINED
    deleted = count if dry_run else jobs.flush(before=before, foreign=foreign)
    if as_json:
        session.output.json({"deleted": deleted, "dry_run": dry_run})
    else:
        session.output.info(_message(hours, deleted, dry_run=dry_run))
    return missed or DONE


def _message(hours: float | None, deleted: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"{plural(deleted, 'failed job')} would be deleted."
    if hours is None:
        return "All failed jobs deleted successfully."
    return f"All jobs that failed more than {hours:g} hours ago have been deleted successfully."
