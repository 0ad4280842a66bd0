"""`queue:clear`: delete every job of a queue."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import typer

from queuectl.commands.addresses import chosen_connection, doubt, known_queues, split_list
from queuectl.commands.consent import Consent
from queuectl.commands.exit_codes import DECLINED, DONE, FAILED
from queuectl.commands.options import DryRun, Expect, Force, Json, Purge
from queuectl.commands.recording import Recording
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.drivers.contract import Driver
from queuectl.jobs.payload import check_queue_name
from queuectl.unlocking import free_keys


def clear(
    context: typer.Context,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", show_default=False)] = "",
    queue: Annotated[
        str, typer.Option("--queue", metavar="NAMES", help="Comma-separated; the default one if left out.")
    ] = "",
    force: Force = False,
    expect: Expect = None,
    purge: Purge = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Delete every ready, delayed and reserved job of these queues. Running jobs finish."""
    session = Session.of(context)
    name = chosen_connection(session.app, connection)
    driver = session.app.driver(name)
    if driver.immediate:
        session.output.error(f"Clearing queues is not supported on [{name}].", "It runs jobs at once and keeps none.")
        return FAILED
    queues = [check_queue_name(one) for one in split_list(queue) or [session.app.connection(name).queue]]
    counts = driver.counts(queues)
    total = sum(counts[one].size for one in queues)
    if total == 0:
        _doubt(session, driver, queues)
    question = f"Delete {plural(total, 'job')} from the {_named(queues)} of [{name}]?"
    if not Consent(session, force, dry_run, expect, flag="--force").to(total, "jobs", question):
        return DECLINED
    with Recording(session, "clear", undoable=not purge, dry_run=dry_run) as recording:
        cleared = {one: counts[one].size if dry_run else _clear(driver, one, recording) for one in queues}
    _report(session, name, cleared, recording, dry_run=dry_run, as_json=as_json)
    return DONE


def _doubt(session: Session, driver: Driver, queues: list[str]) -> None:
    for sentence in filter(None, (doubt(one, known_queues(driver)) for one in queues)):
        session.output.warn(sentence)


def _clear(driver: Driver, queue: str, recording: Recording) -> int:
    recording.begin([driver])
    free_keys(driver, queue)
    cleared = driver.clear(queue, keep=recording.keep)
    recording.add(driver, cleared)
    return cleared


def _report(
    session: Session, connection: str, cleared: dict[str, int], recording: Recording, *, dry_run: bool, as_json: bool
) -> None:
    operation = recording.id if recording.can_be_undone else None
    if as_json:
        session.output.json({"connection": connection, "cleared": cleared, "dry_run": dry_run, "operation": operation})
        return
    verb = "Would clear" if dry_run else "Cleared"
    session.output.info(f"{verb} {plural(sum(cleared.values()), 'job')} from the {_named(cleared)}.")
    recording.tell_undo()


def _named(queues: Collection[str]) -> str:
    return f"[{', '.join(queues)}] {'queue' if len(queues) == 1 else 'queues'}"
