"""A row of the failed store as text: what a listing shows, without payload and traceback."""

from __future__ import annotations

import json

from queuectl.drivers.contract import FailedJob
from queuectl.jobs.outcome import FailedRecord

LINE = 500
"""Characters of a message that a listing keeps."""


def row_of(record: FailedRecord) -> bytes:
    lines = record.problem.message.splitlines()
    facts = {
        "connection": record.connection,
        "queue": record.queue,
        "job": record.job,
        "error": record.problem.type,
        "message": lines[0][:LINE] if lines else "",
        "attempts": record.attempts,
        "failed_at": record.failed_at,
    }
    return json.dumps(facts).encode()


def stored_text(record: FailedRecord) -> bytes:
    return record.problem.text.encode("utf-8", "backslashreplace")


def failed_job(uuid: str, row: bytes, *, payload: bytes = b"", text: bytes = b"") -> FailedJob:
    facts = json.loads(row)
    return FailedJob(id=uuid, uuid=uuid, **facts, payload=payload, text=text.decode(errors="replace"))
