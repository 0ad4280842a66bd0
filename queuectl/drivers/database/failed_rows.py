"""What a row of the failed store says, whoever wrote it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from queuectl.drivers.contract import FailedJob
from queuectl.drivers.database.rows import body, short
from queuectl.errors import MalformedPayload
from queuectl.jobs.fingerprint import fingerprint
from queuectl.jobs.outcome import Problem
from queuectl.jobs.payload import parse

LONGEST_MESSAGE = 500


class FailedRow(NamedTuple):
    """As `texts.FAILED_PAGE` and `texts.FAILED_WHOLE` select it."""

    id: int
    uuid: str | None
    connection: str
    queue: str
    job: str | None
    error: str | None
    message: str | None
    attempts: int | None
    failed_at: float | None
    fingerprint: str | None
    place: str | None
    payload: str | bytes | None
    text: str | None


def listed(row: FailedRow) -> FailedJob:
    if row.job is None:
        return _from_php(row)
    return FailedJob(
        id=str(row.id),
        uuid=name_of(row.id, row.uuid),
        connection=row.connection,
        queue=row.queue,
        job=row.job,
        error=row.error or "",
        message=row.message or "",
        attempts=row.attempts or 0,
        failed_at=row.failed_at or 0.0,
        fingerprint=row.fingerprint or _computed(row.job, row.error or "", row.message or "", row.place or ""),
        place=row.place or "",
    )


def _computed(job: str, error: str, message: str, place: str = "") -> str:
    """For rows that were written before fingerprints were kept, or by PHP."""
    return fingerprint(job, Problem(error, message, "", place))


def _from_php(row: FailedRow) -> FailedJob:
    """A row without our columns: name from the payload, error from the first line of the exception."""
    name, foreign = _name_and_kind(body(row.payload))
    error, _, message = str(row.text or "").partition("\n")[0].partition(": ")
    return FailedJob(
        id=str(row.id),
        uuid=name_of(row.id, row.uuid),
        connection=row.connection,
        queue=row.queue,
        job=name,
        error=error[:255],
        message=short(message, LONGEST_MESSAGE),
        attempts=row.attempts or 0,
        failed_at=row.failed_at or 0.0,
        foreign=foreign,
        fingerprint=_computed(name, error[:255], short(message, LONGEST_MESSAGE)),
    )


def whole(row: FailedRow) -> FailedJob:
    return replace(listed(row), payload=body(row.payload), text=row.text or "")


def _name_and_kind(payload: bytes) -> tuple[str, bool]:
    """The job's name, and whether only PHP can run it: a class and a method, or a serialised object."""
    try:
        found = parse(payload)
    except MalformedPayload:
        return "", False
    job, display, data = found.get("job"), found.get("displayName"), found.get("data")
    name = next((text for text in (display, job) if isinstance(text, str) and text), "")
    return name, (isinstance(job, str) and "@" in job) or (isinstance(data, dict) and "command" in data)


def name_of(row: int, uuid: str | None) -> str:
    return uuid or str(row)
