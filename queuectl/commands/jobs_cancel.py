"""`jobs:cancel`: take jobs that wait out of their queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from queuectl.commands.batches import Tally, in_batches
from queuectl.commands.consent import Consent
from queuectl.commands.exit_codes import DECLINED, FAILED, PARTLY
from queuectl.commands.filters import Filter, filtered
from queuectl.commands.jobs_list import NOT_FOUND
from queuectl.commands.options import Connection, DryRun, Expect, Force, Json, Purge, QueuedIds
from queuectl.commands.output import Output
from queuectl.commands.progress import Progress
from queuectl.commands.queued import PAGE, Queued, Queues, reachable_queues
from queuectl.commands.recording import Recording
from queuectl.commands.selection import Selection, select
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.commands.times import seconds
from queuectl.drivers.control import Cancel

WAITING = ("delayed", "parked", "ready")
NAMED = (*WAITING, "reserved")
NOTHING = "No jobs found that wait."


@dataclass
class Cancelling:
    """One run of the command."""

    session: Session
    queues: Queues
    selection: Selection
    within: float | None = None
    """Seconds in which jobs that a worker has are asked to end; None: they are left alone."""
    running: int = 0
    """Of the jobs that were named, those that a worker has and goes on with."""
    asked: int = 0

    def jobs(self, progress: Progress) -> Iterator[Queued]:
        """Those that can be cancelled."""
        states = WAITING if self.selection.everything and self.within is None else NAMED
        for one in self.queues.of(self.selection, states, passing=progress.over):
            if one.stored.state == "reserved" and self.within is None:
                self.running += 1
            else:
                yield one

    def agreed(self, consent: Consent) -> bool:
        """Whether they may go. At most as many then do as were counted."""
        if not consent.needs_count or (consent.expect is None and self.selection.at_most in (0, 1)):
            return True
        with Progress(self.session.output, "jobs counted", lambda: self.queues.total(self.selection)) as progress:
            count = sum(1 for _ in self.jobs(progress))
        if self.selection.everything:
            self.selection.filters = replace(self.selection.filters, limit=count)
        self.selection.missing, self.running = [], 0
        return consent.to(count, "jobs", f"Cancel {plural(count, 'job')}?", free=1)

    def run(self, tally: Tally, *, keep: bool, dry_run: bool, quiet: bool) -> Recording:
        progress = Progress(self.session.output, "jobs looked at", self.queues.total(self.selection))
        with Recording(self.session, "jobs:cancel", undoable=keep, dry_run=dry_run) as recording, progress:
            act = _uuids if dry_run else self._act(recording)
            in_batches(self.session, self.jobs(progress), act, tally, progress=progress, quiet=quiet, size=PAGE)
        tally.close(self.selection, recording)
        tally.overtaken -= self.asked
        return recording

    def _act(self, recording: Recording) -> Callable[[Sequence[Queued]], list[str]]:
        driver = self.session.app.driver

        def cancel(batch: Sequence[Queued]) -> list[str]:
            recording.begin(driver(name) for name in dict.fromkeys(one.connection for one in batch))
            running = [one for one in batch if one.stored.state == "reserved"]
            for one in running:
                driver(one.connection).control.cancel_running(one.uuid, Cancel(recording.who, self.within or 0.0))
            self.asked += len(running)
            gone = self.queues.cancel([one for one in batch if one not in running], keep=recording.keep)
            for name, count in Counter(one.connection for one in gone).items():
                recording.add(driver(name), count)
            return _uuids(gone)

        return cancel


@filtered
def jobs_cancel(
    context: typer.Context,
    filters: Filter,
    ids: QueuedIds = None,
    connection: Connection = "",
    force: Force = False,
    expect: Expect = None,
    purge: Purge = False,
    running: Annotated[bool, typer.Option("--running", help="Ask workers to end those that run, too.")] = False,
    within: Annotated[
        str, typer.Option("--within", metavar="TIME", help="What has not ended then is interrupted.")
    ] = "10s",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Take jobs out of their queues, before they run. More than one only after a question, or with --yes.

    What runs already is left alone, or with --running told to end.
    """
    session = Session.of(context)
    filters.require_waiting()
    selection = select(session, ids or [], filters=filters, noun="jobs")
    queues, missed = reachable_queues(session, connection)
    cancelling = Cancelling(session, queues, selection, seconds(within, "--within") if running else None)
    if not cancelling.agreed(Consent(session, force, dry_run, expect)):
        return DECLINED
    tally = Tally("cancelled", "CANCELLED", missed=missed)
    recording = cancelling.run(tally, keep=not purge, dry_run=dry_run, quiet=as_json)
    if not tally.done:
        for sentence in queues.doubts(filters):
            session.output.warn(sentence)
    _report(session, cancelling, tally, as_json=as_json, dry_run=dry_run)
    if tally.done and not as_json:
        recording.tell_undo()
    if cancelling.running and not tally.missing:
        return PARTLY if tally.done else FAILED
    return tally.exit_code


def _report(session: Session, cancelling: Cancelling, tally: Tally, *, as_json: bool, dry_run: bool) -> None:
    output = session.output
    for key in tally.missing:
        output.error(NOT_FOUND.format(key))
    _tell_running(output, cancelling)
    if as_json:
        output.json(_to_json(tally, cancelling, dry_run=dry_run))
    elif tally.done:
        output.info(f"{plural(tally.done, 'job')} {'would be cancelled' if dry_run else 'cancelled'}.")
    elif not (tally.missing or cancelling.running or cancelling.asked):
        output.info(NOTHING)
    if tally.overtaken:
        output.info(f"{plural(tally.overtaken, 'job')} had left meanwhile: begun, or cancelled by somebody else.")
    if dry_run:
        output.info("Nothing was changed: this was a dry run.")


def _tell_running(output: Output, cancelling: Cancelling) -> None:
    running, asked = cancelling.running, cancelling.asked
    if running:
        output.error(
            f"{plural(running, 'job')} {'is' if running == 1 else 'are'} running: only what waits is cancelled.",
            "Add --running to have workers end what runs, too.",
        )
    if asked:
        output.info(f"{plural(asked, 'running job')} asked to end; workers hear of it within a second or two.")


def _to_json(tally: Tally, cancelling: Cancelling, *, dry_run: bool) -> dict[str, Any]:
    return {
        "cancelled": tally.done,
        "missing": tally.missing,
        "running": cancelling.running,
        "asked": cancelling.asked,
        "overtaken": tally.overtaken,
        "dry_run": dry_run,
        "operation": tally.operation,
    }


def _uuids(jobs: Iterable[Queued]) -> list[str]:
    return [one.uuid for one in jobs]
