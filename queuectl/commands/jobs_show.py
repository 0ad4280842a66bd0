"""`jobs:show`: one job in a queue whole, secrets masked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from queuectl.commands.exit_codes import DONE, FAILED
from queuectl.commands.failed_rows import readable
from queuectl.commands.failed_stores import reachable
from queuectl.commands.options import Connection, Json
from queuectl.commands.output import Output
from queuectl.commands.queued import Queued, reachable_queues
from queuectl.commands.queued_rows import to_json, waits
from queuectl.commands.session import Session
from queuectl.commands.text import columns, padded, safe, typed
from queuectl.commands.times import ago, iso, local

NOT_FOUND = "Unable to find job with ID [{}]."


def jobs_show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="A uuid, or a short id.")],
    connection: Connection = "",
    as_json: Json = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Mask nothing.")] = False,
) -> int:
    """Show one job that waits or runs: where it is, since when, who runs it, and what it carries."""
    session = Session.of(context)
    queues, _ = reachable_queues(session, connection)
    found = queues.find(key)
    if found is None:
        session.output.error(NOT_FOUND.format(key), _elsewhere(session, key, connection))
        return FAILED
    payload = readable(found.stored.payload, show_secrets=show_secrets)
    worker, progress = _worker(session, found), _progress(session, found)
    if as_json:
        session.output.json({**to_json(found), "worker": worker, "progress": progress, "payload": payload})
    else:
        _print(session.output, found, payload, worker, progress, session.app.clock.now())
    return DONE


def _elsewhere(session: Session, key: str, connection: str) -> str:
    """Where a job is that is in no queue."""
    jobs, _ = reachable(session, connection)
    if jobs.find(key) is not None:
        return f"It failed: `{typed('queuectl', 'failed:show', key)}` shows why."
    return "Jobs that are done leave no trace; `queuectl failed` lists those that failed."


def _worker(session: Session, found: Queued) -> dict[str, Any] | None:
    """Who runs it, where somebody says so: a beat is written every five seconds."""
    if found.stored.state != "reserved":
        return None
    for beat in session.app.driver(found.connection).control.beats():
        for running in beat.running:
            if running.get("uuid") == found.uuid:
                return {"name": beat.name, "host": beat.host, "pid": beat.pid, "since_at": _moment(running)}
    return None


def _progress(session: Session, found: Queued) -> dict[str, Any] | None:
    """What the job said of it last, in this attempt or in one before."""
    said = session.app.driver(found.connection).control.progress(found.uuid)
    return None if said is None else {"fraction": said.fraction, "text": said.text}


def _moment(running: Mapping[str, Any]) -> str | None:
    since = running.get("since")
    return iso(since) if isinstance(since, (int, float)) else None


def _print(
    output: Output,
    found: Queued,
    payload: Any,
    worker: dict[str, Any] | None,
    progress: dict[str, Any] | None,
    now: float,
) -> None:
    stored = found.stored
    facts = [
        ("Job", found.job or "?"),
        ("Id", found.uuid if stored.id == found.uuid else f"{stored.id}  {found.uuid}"),
        ("Queue", f"{found.connection}@{stored.queue}"),
        ("State", f"{found.state}, {waits(found, now)}"),
        ("Attempts", str(stored.attempts)),
    ]
    if found.created_at is not None:
        facts.append(("Dispatched", f"{local(found.created_at)}, {ago(now - found.created_at)}"))
    if stored.parked_at is not None:
        facts.append(("Parked", f"{ago(now - stored.parked_at)}: no worker knew its name"))
    if worker is not None:
        facts.append(("Runs on", f"{worker['name']} on {worker['host']} (pid {worker['pid']})"))
    if progress is not None:
        facts.append(("Progress", f"{progress['fraction']:.0%} {progress['text']}".rstrip()))
    for name, value in facts:
        output.line(f"{output.style(padded(name, 10), 'bold')} {safe(value)}")
    output.line(f"\n{output.style('Payload', 'bold')}")
    output.line(safe(payload) if isinstance(payload, str) else json.dumps(payload, ensure_ascii=True, indent=2))
    _print_next(output, found)


def _print_next(output: Output, found: Queued) -> None:
    lines = [(typed("queuectl", "explain", found.uuid), "why it does not run")]
    if found.stored.state == "reserved":
        lines.append((typed("queuectl", "jobs:cancel", "--running", found.uuid), "have its worker end it"))
    else:
        lines.append((typed("queuectl", "jobs:cancel", found.uuid), "take it out of its queue"))
    output.line(f"\n{output.style('Next', 'bold')}")
    output.lines(columns(lines))
