"""`queue:retry`: put failed jobs back on the queues they came from."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.batches import Tally, in_batches
from queuectl.commands.exit_codes import PARTLY
from queuectl.commands.failed_stores import doubt_queue, reachable
from queuectl.commands.options import Connection, DryRun, FailedIds, Foreign, Json
from queuectl.commands.selection import select
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.errors import DriverUnavailable
from queuectl.failing import FailedJobs

NOT_FOUND = "Unable to find failed job with ID [{}]."


def retry(
    context: typer.Context,
    ids: FailedIds = None,
    queue: Annotated[str, typer.Option("--queue", metavar="NAME", help="All failed jobs of this queue.")] = "",
    range_: Annotated[list[str] | None, typer.Option("--range", metavar="A-B", help="As A-B among the ids.")] = None,
    connection: Connection = "",
    foreign: Foreign = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Put failed jobs back on their queues, with their attempts at zero.

    Each moves in one step of its own: run again after an interruption, this continues, and pushes nothing twice.
    """
    session = Session.of(context)
    selection = select(session, [*(ids or []), *(range_ or [])], queue=queue, foreign=foreign)
    jobs, missed = reachable(session, connection)
    if not dry_run:
        jobs.collect()
    tally = Tally("retried", "DONE", missed=missed)
    in_batches(session, selection.of(jobs), jobs.retry, tally, dry_run=dry_run, quiet=as_json)
    tally.close(selection)
    _tell_stranded(session, jobs, tally)
    if not tally.done:
        doubt_queue(session, jobs, queue)
    return tally.report(session, as_json=as_json, dry_run=dry_run, not_found=NOT_FOUND, nothing=_nothing(queue))


def _tell_stranded(session: Session, jobs: FailedJobs, tally: Tally) -> None:
    """What was taken for overtaken by others, but is still where it was."""
    for name, stranded in jobs.stranded.items():
        tally.stranded += stranded.count
        tally.overtaken -= stranded.count
        stay = "stays" if stranded.count == 1 else "stay"
        reason = f"[{name}] {plural(stranded.count, 'failed job')} {stay} in the failed store: {stranded.error}"
        session.tell(stranded.error, reason, None)
    if jobs.stranded:
        tally.missed = PARTLY if tally.done else DriverUnavailable.exit_code


def _nothing(queue: str) -> str:
    return f"Unable to find failed jobs for queue [{queue}]." if queue else "No retryable jobs found."
