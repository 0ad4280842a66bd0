"""Delete failed jobs, and keep them for `undo`."""

from __future__ import annotations

from functools import partial

from queuectl.commands.batches import Tally, in_batches, recorded, untouched
from queuectl.commands.failed_stores import looking_at
from queuectl.commands.recording import Recording
from queuectl.commands.selection import Selection
from queuectl.commands.session import Session
from queuectl.failing import FailedJobs


def delete(
    session: Session,
    verb: str,
    jobs: FailedJobs,
    selection: Selection,
    tally: Tally,
    *,
    keep: bool,
    dry_run: bool,
    as_json: bool,
) -> Recording:
    """Delete what is selected, a batch at a time; what was written down of it. With -v each job gets a line, unless
    stdout is for a document."""
    if not dry_run:
        jobs.collect()
    with Recording(session, verb, undoable=keep, dry_run=dry_run) as recording:
        act = untouched if dry_run else recorded(session, recording, partial(jobs.forget, keep=recording.keep))
        with looking_at(session, selection, jobs) as progress:
            found = selection.of(jobs, passing=progress.over)
            in_batches(session, found, act, tally, progress=progress, quiet=as_json or not session.verbosity)
    tally.close(selection, recording)
    return recording
