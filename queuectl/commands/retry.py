"""`queue:retry`: put failed jobs back on the queues they came from."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from queuectl.commands.batches import Tally, in_batches, recorded, untouched
from queuectl.commands.consent import require_expected
from queuectl.commands.exit_codes import PARTLY
from queuectl.commands.failed_stores import doubt_names, looking_at, reachable
from queuectl.commands.filters import Filter, filtered
from queuectl.commands.options import Connection, DryRun, Expect, FailedIds, Foreign, Group, Json
from queuectl.commands.recording import Recording
from queuectl.commands.retry_care import Canary, Rate, StopOnFailure, Timeout, Wait, care_of, retry_carefully
from queuectl.commands.selection import select
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.errors import DriverUnavailable
from queuectl.failing import FailedJobs

NOT_FOUND = "Unable to find failed job with ID [{}]."


@filtered
def retry(
    context: typer.Context,
    filters: Filter,
    ids: FailedIds = None,
    range_: Annotated[list[str] | None, typer.Option("--range", metavar="A-B", help="As A-B among the ids.")] = None,
    group: Group = "",
    connection: Connection = "",
    foreign: Foreign = False,
    expect: Expect = None,
    canary: Canary = 0,
    rate: Rate = "",
    stop_on_failure: StopOnFailure = "",
    wait: Wait = False,
    timeout: Timeout = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Put failed jobs back on their queues, with their attempts at zero.

    Each moves in one step of its own: run again after an interruption, this continues, and pushes nothing twice.
    """
    session = Session.of(context)
    care = care_of(canary, rate, stop_on_failure, timeout, wait=wait)
    filters = replace(filters, group=group)
    selection = select(session, [*(ids or []), *(range_ or [])], filters=filters, foreign=foreign)
    jobs, missed = reachable(session, connection)
    if not dry_run:
        jobs.collect()
    if expect is not None:
        require_expected(expect, selection.count(jobs), "failed jobs")
    tally = Tally("retried", "DONE", missed=missed)
    with Recording(session, "retry", dry_run=dry_run) as recording, looking_at(session, selection, jobs) as progress:
        found = selection.of(jobs, passing=progress.over)
        if care.is_taken and not dry_run:
            retry_carefully(
                session, found, jobs, care, recording=recording, tally=tally, progress=progress, quiet=as_json
            )
        else:
            act = untouched if dry_run else recorded(session, recording, jobs.retry)
            in_batches(session, found, act, tally, progress=progress, quiet=as_json)
    tally.close(selection)
    _tell_stranded(session, jobs, tally)
    if not (tally.listed or as_json):
        session.output.info(f"{plural(tally.done, 'failed job')} {'would be ' if dry_run else ''}retried.")
    if not tally.done:
        doubt_names(session, jobs, filters)
    return tally.report(
        session, as_json=as_json, dry_run=dry_run, not_found=NOT_FOUND, nothing=_nothing(filters.only_queue)
    )


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


def _nothing(queue: str | None) -> str:
    return f"Unable to find failed jobs for queue [{queue}]." if queue else "No retryable jobs found."
