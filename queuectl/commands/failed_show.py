"""`failed:show`: one failed job whole, secrets masked."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from queuectl.commands.exit_codes import DONE, FAILED
from queuectl.commands.failed_rows import readable, to_json
from queuectl.commands.failed_stores import reachable
from queuectl.commands.options import Connection, Json
from queuectl.commands.output import Output
from queuectl.commands.session import Session
from queuectl.commands.text import columns, padded, safe, typed
from queuectl.commands.times import local
from queuectl.drivers.contract import FailedJob
from queuectl.failing import Located
from queuectl.jobs.masking import mask


def failed_show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="A uuid, or a short id.")],
    connection: Connection = "",
    as_json: Json = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Mask nothing.")] = False,
) -> int:
    """Show one failed job: where it was, what it carried, and why it failed."""
    session = Session.of(context)
    jobs, _ = reachable(session, connection)
    found = jobs.find(key)
    if found is None:
        session.output.error(f"Unable to find failed job with ID [{key}].")
        return FAILED
    payload = readable(found.job.payload, show_secrets=show_secrets)
    text = found.job.text if show_secrets else mask(found.job.text)
    if as_json:
        message = found.job.message if show_secrets else mask(found.job.message)
        session.output.json({**to_json(found), "message": message, "payload": payload, "exception": text})
    else:
        _print(session.output, found, payload, text)
    return DONE


def _print(output: Output, found: Located, payload: Any, text: str) -> None:
    job = found.job
    facts = (
        ("Job", job.job or "?"),
        ("Id", job.uuid if job.id == job.uuid else f"{job.id}  {job.uuid}"),
        ("Queue", f"{job.connection}@{job.queue}"),
        ("Failed at", local(job.failed_at)),
        ("Attempts", str(job.attempts)),
        ("Error", job.error),
        ("At", job.place or "?"),
        ("Group", job.fingerprint or "-"),
    )
    for name, value in facts:
        output.line(f"{output.style(padded(name, 10), 'bold')} {safe(value)}")
    output.line(f"\n{output.style('Payload', 'bold')}")
    output.line(safe(payload) if isinstance(payload, str) else json.dumps(payload, ensure_ascii=True, indent=2))
    output.line(f"\n{output.style('Exception', 'bold')}")
    output.line(safe(text, lines=True))
    _print_next(output, job)


def _print_next(output: Output, job: FailedJob) -> None:
    lines = [(typed("queuectl", "retry", job.uuid), "run it again")]
    if job.fingerprint:
        lines += [
            (typed("queuectl", "failed", "--group", job.fingerprint), "others that failed like it"),
            (typed("queuectl", "retry", "--group", job.fingerprint), "run all of these again"),
        ]
    lines.append((typed("queuectl", "forget", job.uuid), "delete it"))
    output.line(f"\n{output.style('Next', 'bold')}")
    output.lines(columns(lines))
