"""`undo`: bring back what an operation removed, as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from queuectl.commands.consent import Consent
from queuectl.commands.deeds import Deed, deeds
from queuectl.commands.exit_codes import DECLINED, DONE, FAILED
from queuectl.commands.options import Connection, DryRun, Force, Json
from queuectl.commands.progress import Progress
from queuectl.commands.recording import Recording
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.commands.times import ago, local
from queuectl.config.checking import did_you_mean
from queuectl.drivers.contract import Driver
from queuectl.drivers.operation import PREFIX
from queuectl.errors import UsageError


@dataclass
class Undone:
    """What has come of it so far."""

    jobs: int = 0
    failed: int = 0
    left: int = 0
    purged: int = 0

    @property
    def restored(self) -> int:
        return self.jobs + self.failed


def undo(
    context: typer.Context,
    operation: Annotated[str, typer.Argument(metavar="OPERATION", show_default=False)] = "",
    running: Annotated[
        bool, typer.Option("--running", help="Also jobs that a worker had when they were removed: they may run twice.")
    ] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Bring nothing back: delete for good what is kept of it.")
    ] = False,
    connection: Connection = "",
    force: Force = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Bring back what flush, forget, clear or jobs:cancel removed within 24 hours."""
    session = Session.of(context)
    found, missed = deeds(session, connection)
    deed = _wanted(session, found, operation)
    if deed is None:
        return FAILED
    total = sum(session.app.driver(name).removed.count(deed.id) for name in deed.by_store)
    if not total:
        return _nothing_kept(session, deed, as_json=as_json)
    question = f"Delete {plural(total, 'job')} for good?"
    if purge and not Consent(session, force, dry_run).to(total, "jobs", question):
        return DECLINED
    undone = Undone() if dry_run else _undo(session, deed, total, running=running, purge=purge)
    _report(session, deed, undone, total, dry_run=dry_run, purge=purge, as_json=as_json)
    return missed


def _wanted(session: Session, found: list[Deed], words: str) -> Deed | None:
    """The deed of this id, which can be undone at all; otherwise None, and why is told."""
    key = words if words.startswith(PREFIX) else f"{PREFIX}{words}"
    if not words:
        raise UsageError("Which operation?", hint=_proposal(session, found))
    deed = next((deed for deed in found if deed.id == key), None)
    if deed is None:
        meant = did_you_mean(key, (deed.id for deed in found))
        session.output.error(f"There is no operation [{words}].{meant}", "`queuectl audit` lists them.")
    elif not deed.operation.undoable:
        session.output.error(f"What [{deed.id}] did cannot be undone: {deed.operation.words}", _reason(deed))
        return None
    return deed


def _proposal(session: Session, found: list[Deed]) -> str:
    now = session.app.clock.now()
    last = next((deed for deed in found if deed.can_be_undone(now)), None)
    if last is None:
        return "There is none that can be undone; `queuectl audit` lists all."
    operation = last.operation
    return f"The last one was {last.id}, {ago(now - operation.at)} by {operation.who}: {operation.words}"


def _reason(deed: Deed) -> str:
    if deed.operation.verb in ("flush", "forget", "clear", "jobs:cancel"):
        return "It was run with --purge."
    return "Only flush, forget, clear and jobs:cancel keep what they remove."


def _nothing_kept(session: Session, deed: Deed, *, as_json: bool) -> int:
    """It was brought back already, which is what was wanted; or it is too late."""
    if deed.undone_at is not None:
        session.output.info(f"[{deed.id}] was undone on {local(deed.undone_at)}.")
        if as_json:
            session.output.json(_to_json(deed, Undone(), 0, dry_run=False))
        return DONE
    until = deed.kept_until or deed.operation.at
    session.output.error(
        f"Nothing is kept of [{deed.id}]: {deed.operation.words}",
        f"What is removed is kept for 24 hours, this was until {local(until)}; the oldest make room for the newest.",
    )
    return FAILED


def _undo(session: Session, deed: Deed, total: int, *, running: bool, purge: bool) -> Undone:
    undone = Undone()
    progress = Progress(session.output, "jobs brought back", total)
    try:
        with Recording(session, "undo") as recording, progress:
            for name in deed.by_store:
                driver = session.app.driver(name)
                if purge:
                    undone.purged += _purge(driver, deed, recording)
                    continue
                for count in _put_back(driver, deed.id, undone, running=running):
                    recording.add(driver, count)
                    progress.tick(count)
                driver.control.record(replace(deed.by_store[name], undone_at=session.app.clock.now()))
    except KeyboardInterrupt:
        session.output.warn(f"Interrupted: {plural(undone.restored, 'job')} brought back. Run it again to continue.")
        raise
    return undone


def _put_back(driver: Driver, operation: str, undone: Undone, *, running: bool) -> Iterator[int]:
    """How many, a portion at a time."""
    more = True
    while more:
        restored = driver.removed.put_back(operation, running=running)
        undone.jobs += restored.jobs
        undone.failed += restored.failed
        more = restored.more
        yield restored.jobs + restored.failed
    undone.left += restored.left


def _purge(driver: Driver, deed: Deed, recording: Recording) -> int:
    purged = driver.removed.purge(deed.id)
    recording.add(driver, purged)
    return purged


def _to_json(deed: Deed, undone: Undone, kept: int, *, dry_run: bool) -> dict[str, Any]:
    return {
        "operation": deed.id,
        "kept": kept,
        "jobs": undone.jobs,
        "failed": undone.failed,
        "left": undone.left,
        "purged": undone.purged,
        "dry_run": dry_run,
    }


def _report(
    session: Session, deed: Deed, undone: Undone, total: int, *, dry_run: bool, purge: bool, as_json: bool
) -> None:
    output = session.output
    if as_json:
        output.json(_to_json(deed, undone, total, dry_run=dry_run))
    elif dry_run:
        output.info(f"{plural(total, 'job')} would be {'deleted for good' if purge else 'brought back'}.")
    elif purge:
        output.info(f"{plural(undone.purged, 'job')} deleted for good.")
    else:
        output.info(_sentence(undone))
    if undone.left:
        verb = "was" if undone.left == 1 else "were"
        output.info(
            f"{plural(undone.left, 'job')} {verb} running when removed, and may be done: --running brings them back."
        )


def _sentence(undone: Undone) -> str:
    parts = [plural(count, noun) for count, noun in ((undone.jobs, "job"), (undone.failed, "failed job")) if count]
    return f"{' and '.join(parts) or 'Nothing'} brought back."
