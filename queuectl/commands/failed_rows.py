"""How a failed job looks to scripts and to people."""

from __future__ import annotations

import json
from typing import Any

from queuectl.commands.text import shortened
from queuectl.commands.times import iso, local, short
from queuectl.failing import Located
from queuectl.jobs.masking import MASK, is_secret, mask
from queuectl.jobs.payload import to_text

HEADER = ("ID", "UUID", "FAILED AT", "QUEUE", "JOB", "ERROR")
HEADER_OF_ONE_ID = ("ID", *HEADER[2:])
NO_SHORT_ID = "-"
ERROR_CELLS = 200
NARROW = 120
"""Columns of a terminal that is too small for two ids, or two whole times, a row."""


def to_json(located: Located) -> dict[str, Any]:
    """Artisan's keys first, then ours. The id is the uuid: it means one job wherever it lies."""
    job = located.job
    return {
        "id": job.uuid,
        "connection": job.connection,
        "queue": job.queue,
        "class": job.job,
        "failed_at": iso(job.failed_at),
        "uuid": job.uuid,
        "short_id": job.id,
        "job": job.job,
        "error": job.error,
        "message": mask(job.message),
        "attempts": job.attempts,
        "store": located.store,
        "foreign": job.foreign,
        "fingerprint": job.fingerprint,
        "place": job.place,
    }


def to_row(located: Located) -> tuple[str, ...]:
    job = located.job
    error = f"{job.error.rpartition('.')[2]}: {mask(job.message)}"
    return (
        job.id if job.id != job.uuid else NO_SHORT_ID,
        job.uuid,
        local(job.failed_at),
        f"{job.connection}@{job.queue}",
        job.job or "?",
        shortened(error, ERROR_CELLS),
    )


def to_row_with_one_id(located: Located) -> tuple[str, ...]:
    """The row with its short id, or with its uuid where there is none, and without the year."""
    number, uuid, _, *others = to_row(located)
    return (uuid if number == NO_SHORT_ID else number, short(located.job.failed_at), *others)


def readable(payload: bytes, *, show_secrets: bool) -> Any:
    """The payload as JSON with its arguments opened and its secrets masked; text where it is not JSON."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        text = to_text(payload)
        return text if show_secrets else mask(text)
    opened = _opened(found)
    return opened if show_secrets else masked(opened)


def _opened(found: Any) -> Any:
    """Our own arguments travel as JSON text inside the JSON; people want to read them."""
    data = found.get("data") if isinstance(found, dict) else None
    if isinstance(data, dict) and data.keys() == {"args"} and isinstance(data["args"], str):
        try:
            return {**found, "data": {"args": json.loads(data["args"])}}
        except (ValueError, RecursionError):
            return found
    return found


def masked(value: Any, *, depth: int = 100) -> Any:
    """*value* without what its keys call secret, and without passwords in its texts."""
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        return {key: MASK if is_secret(key) else masked(item, depth=depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, depth=depth - 1) for item in value]
    return mask(value) if isinstance(value, str) else value
