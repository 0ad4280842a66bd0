"""`queue:forget`: delete failed jobs."""

from __future__ import annotations

from dataclasses import replace

import typer

from queuectl.commands.batches import Tally
from queuectl.commands.consent import Consent
from queuectl.commands.deleting import delete
from queuectl.commands.exit_codes import DECLINED
from queuectl.commands.failed_stores import doubt_names, reachable
from queuectl.commands.filters import Filter, filtered
from queuectl.commands.options import Connection, DryRun, Expect, FailedIds, Force, Foreign, Group, Json, Purge
from queuectl.commands.selection import Selection, select
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.failing import FailedJobs

NOT_FOUND = "No failed job matches the given ID [{}]."


@filtered
def forget(
    context: typer.Context,
    filters: Filter,
    ids: FailedIds = None,
    group: Group = "",
    connection: Connection = "",
    foreign: Foreign = False,
    force: Force = False,
    expect: Expect = None,
    purge: Purge = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Delete failed jobs. More than one only after a question, or with --yes."""
    session = Session.of(context)
    selection = select(session, ids or [], filters=replace(filters, group=group), foreign=foreign)
    jobs, missed = reachable(session, connection)
    if not _agreed(Consent(session, force, dry_run, expect), selection, jobs):
        return DECLINED
    tally = Tally("deleted", "DELETED", missed=missed)
    recording = delete(session, "forget", jobs, selection, tally, keep=not purge, dry_run=dry_run, as_json=as_json)
    if tally.done and not as_json:
        session.output.info(_success(tally.done, dry_run=dry_run))
        recording.tell_undo()
    if not tally.done:
        doubt_names(session, jobs, filters)
    return tally.report(session, as_json=as_json, dry_run=dry_run, not_found=NOT_FOUND, nothing="No failed jobs found.")


def _agreed(consent: Consent, selection: Selection, jobs: FailedJobs) -> bool:
    if not consent.needs_count or (consent.expect is None and selection.at_most in (0, 1)):
        return True
    count = selection.count(jobs)
    return consent.to(count, "failed jobs", f"Delete {plural(count, 'failed job')}?", free=1)


def _success(count: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"{plural(count, 'failed job')} would be deleted."
    return "Failed job deleted successfully." if count == 1 else f"{count} failed jobs deleted successfully."
