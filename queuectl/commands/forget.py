"""`queue:forget`: delete failed jobs."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.batches import Tally, in_batches
from queuectl.commands.exit_codes import DECLINED
from queuectl.commands.failed_stores import doubt_queue, reachable
from queuectl.commands.options import Connection, DryRun, FailedIds, Force, Foreign, Json
from queuectl.commands.selection import Selection, select
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.failing import FailedJobs

NOT_FOUND = "No failed job matches the given ID [{}]."


def forget(
    context: typer.Context,
    ids: FailedIds = None,
    queue: Annotated[str, typer.Option("--queue", metavar="NAME", help="All failed jobs of this queue.")] = "",
    connection: Connection = "",
    foreign: Foreign = False,
    force: Force = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Delete failed jobs. More than one only after a question, or with --yes."""
    session = Session.of(context)
    selection = select(session, ids or [], queue=queue, foreign=foreign)
    jobs, missed = reachable(session, connection)
    if not (force or dry_run or _agreed(session, selection, jobs)):
        session.output.warn("Command cancelled.")
        return DECLINED
    if not dry_run:
        jobs.collect()
    tally = Tally("deleted", "DELETED", missed=missed)
    in_batches(session, selection.of(jobs), jobs.forget, tally, dry_run=dry_run, quiet=as_json or not session.verbosity)
    tally.close(selection)
    if tally.done and not as_json:
        session.output.info(_success(tally.done, dry_run=dry_run))
    if not tally.done:
        doubt_queue(session, jobs, queue)
    return tally.report(session, as_json=as_json, dry_run=dry_run, not_found=NOT_FOUND, nothing="No failed jobs found.")


def _agreed(session: Session, selection: Selection, jobs: FailedJobs) -> bool:
    if selection.at_most is not None and selection.at_most <= 1:
        return True
    count = selection.at_most if selection.at_most is not None else sum(1 for _ in selection.of(jobs))
    selection.missing.clear()
    selection.spared = 0
    return count <= 1 or session.confirm(f"Delete {plural(count, 'failed job')}?", flag="--yes")


def _success(count: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"{plural(count, 'failed job')} would be deleted."
    return "Failed job deleted successfully." if count == 1 else f"{count} failed jobs deleted successfully."
