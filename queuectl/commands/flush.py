"""`queue:flush`: delete all failed jobs, those older than some hours, or those that a filter lets through."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nextafter
from typing import Annotated

import typer

from queuectl.commands.batches import Tally
from queuectl.commands.consent import Consent
from queuectl.commands.deleting import delete
from queuectl.commands.exit_codes import DECLINED
from queuectl.commands.failed_stores import doubt_names, reachable
from queuectl.commands.filters import Filter, filtered
from queuectl.commands.options import Connection, DryRun, Expect, Force, Foreign, Group, Json, Purge
from queuectl.commands.selection import NO_FILTER, Selection
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.commands.times import from_hours
from queuectl.errors import UsageError


@filtered
def flush(
    context: typer.Context,
    filters: Filter,
    group: Group = "",
    hours: Annotated[
        float | None,
        typer.Option(
            "--hours", metavar="N", min=0, help="Only those that failed so many hours ago.", show_default=False
        ),
    ] = None,
    connection: Connection = "",
    force: Force = False,
    expect: Expect = None,
    purge: Purge = False,
    dry_run: DryRun = False,
    foreign: Foreign = False,
    as_json: Json = False,
) -> int:
    """Delete all failed jobs, or those that failed more than some hours ago, or that the options select."""
    session = Session.of(context)
    filters = replace(_older(session, filters, hours), group=group)
    jobs, missed = reachable(session, connection)
    selection = Selection(everything=True, filters=filters, foreign=foreign)
    consent = Consent(session, force, dry_run, expect, flag="--force")
    if consent.needs_count:
        count = selection.count(jobs)
        if not consent.to(count, "failed jobs", f"Delete {plural(count, 'failed job')}?"):
            return DECLINED
    tally = Tally("deleted", "DELETED", missed=missed)
    recording = delete(session, "flush", jobs, selection, tally, keep=not purge, dry_run=dry_run, as_json=as_json)
    if as_json:
        session.output.json({"deleted": tally.done, "dry_run": dry_run, "operation": tally.operation})
        return missed
    session.output.info(_message(hours, tally.done, filters, dry_run=dry_run))
    recording.tell_undo()
    if not tally.done:
        doubt_names(session, jobs, filters)
    return missed


def _older(session: Session, filters: Filter, hours: float | None) -> Filter:
    """What `--hours` says is what `--before` says; artisan counts the moment itself among what is old."""
    if hours is None:
        return filters
    if filters.before is not None:
        raise UsageError("Give --hours or --before, not both.")
    return replace(filters, before=nextafter(session.app.clock.now() - from_hours(hours), inf))


def _message(hours: float | None, deleted: int, filters: Filter, *, dry_run: bool) -> str:
    if dry_run:
        return f"{plural(deleted, 'failed job')} would be deleted."
    if filters == replace(NO_FILTER, before=filters.before) and hours is not None:
        return f"All jobs that failed more than {hours:g} hours ago have been deleted successfully."
    if filters.is_empty:
        return "All failed jobs deleted successfully."
    return f"{plural(deleted, 'failed job')} deleted successfully."
