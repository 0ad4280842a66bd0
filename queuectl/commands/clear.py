"""`queue:clear`: delete every job of a queue."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.addresses import chosen_connection, doubt, known_queues, split_list
from queuectl.commands.exit_codes import DECLINED, DONE, FAILED
from queuectl.commands.options import DryRun, Force, Json
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.jobs.payload import check_queue_name


def clear(
    context: typer.Context,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", show_default=False)] = "",
    queue: Annotated[
        str, typer.Option("--queue", metavar="NAMES", help="Comma-separated; the default one if left out.")
    ] = "",
    force: Force = False,
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
    what = f"{plural(total, 'job')} from the [{', '.join(queues)}] {'queue' if len(queues) == 1 else 'queues'}"
    if total == 0:
        for sentence in filter(None, (doubt(one, known_queues(driver)) for one in queues)):
            session.output.warn(sentence)
    elif not (force or dry_run or session.confirm(f"Delete {what} of [{name}]?", flag="--force")):
        session.output.warn("Command cancelled.")
        return DECLINED
    cleared = {one: counts[one].size if dry_run else driver.clear(one) for one in queues}
    _report(session, name, cleared, dry_run=dry_run, as_json=as_json)
    return DONE


def _report(session: Session, connection: str, cleared: dict[str, int], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        session.output.json({"connection": connection, "cleared": cleared, "dry_run": dry_run})
        return
    queues = f"[{', '.join(cleared)}] {'queue' if len(cleared) == 1 else 'queues'}"
    verb = "Would clear" if dry_run else "Cleared"
    session.output.info(f"{verb} {plural(sum(cleared.values()), 'job')} from the {queues}.")
