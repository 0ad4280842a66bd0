"""A row of the failed store as text: what a listing shows, without payload and traceback."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from queuectl.drivers.contract import FailedJob
from queuectl.jobs.fingerprint import fingerprint
from queuectl.jobs.outcome import FailedRecord, Problem

LINE = 500
"""Characters of a message that a listing keeps."""
KNOWN = {field.name for field in fields(FailedJob)}


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
        "fingerprint": fingerprint(record.job, record.problem),
        "place": record.problem.place,
    }
    return json.dumps(facts).encode()


def stored_text(record: FailedRecord) -> bytes:
    return record.problem.text.encode("utf-8", "backslashreplace")


def failed_job(uuid: str, row: bytes, *, payload: bytes = b"", text: bytes = b"") -> FailedJob:
    """A newer worker's row may say more than we know of, an older one's says less."""
    facts = {name: value for name, value in json.loads(row).items() if name in KNOWN}
    if "fingerprint" not in facts:
        facts["fingerprint"] = _fingerprint(facts)
    return FailedJob(id=uuid, uuid=uuid, **facts, payload=payload, text=text.decode(errors="replace"))


def _fingerprint(facts: dict[str, Any]) -> str:
    problem = Problem(facts["error"], facts["message"], "", facts.get("place", ""))
    return fingerprint(facts["job"], problem)
