"""The failed store: Laravel's table, with columns of ours so that listings need no bodies."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from queuectl.drivers.contract import FailedJob, FailedStore, Page
from queuectl.drivers.database import texts
from queuectl.drivers.database.entries import insert_lines
from queuectl.drivers.database.rows import body, short
from queuectl.drivers.database.session import Line, Session
from queuectl.drivers.database.sessions import Sessions
from queuectl.errors import MalformedPayload
from queuectl.jobs.outcome import FailedRecord
from queuectl.jobs.payload import again, parse, to_text

BATCH = 500
PORTION = 2_000_000
"""Characters of payloads that a retry holds at a time."""
LONGEST_MESSAGE = 500
LAST = 2**63 - 1


class Work(Protocol):
    """Something to do with a batch of failed jobs."""

    def __call__(self, session: Session, keys: Sequence[str]) -> list[str]: ...


class SqlFailedStore(FailedStore):
    """Failed jobs beside their queue."""

    def __init__(self, sessions: Sessions, *, retried: Callable[[Session, set[str]], None]) -> None:
        self._sessions = sessions
        self._retried = retried

    def add(self, records: Sequence[FailedRecord]) -> None:
        def work(session: Session) -> None:
            with session.transaction():
                for record in records:
                    _add(session, record)

        self._sessions.call(work)

    def page(self, *, queue: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[FailedJob]:
        text = texts.FAILED_PAGE.replace("{among}", "" if queue is None else texts.FAILED_AMONG)
        values: dict[str, Any] = {"before": int(cursor) if cursor else LAST, "limit": limit}
        if queue is not None:
            values["queue"] = queue
        rows = self._sessions.call(lambda session: session.run(text, **values).rows)
        items = [_listed(_FailedRow._make(row)) for row in rows]
        return Page(items, items[-1].id if len(items) == limit else None)

    def get(self, key: str) -> FailedJob | None:
        def work(session: Session) -> list[tuple[Any, ...]]:
            found = session.run(texts.FAILED_BY_UUID, key=key).rows
            return found or (session.run(texts.FAILED_BY_ID, key=int(key)).rows if _is_id(key) else [])

        rows = self._sessions.call(work)
        return _whole(_FailedRow._make(rows[0])) if rows else None

    def count(self) -> int:
        return int(self._sessions.call(lambda session: session.run(texts.FAILED_COUNT).rows)[0][0])

    def retry(self, keys: Sequence[str]) -> list[str]:
        return self._by_batches(self._retry, keys)

    def forget(self, keys: Sequence[str], *, keep: str | None = None) -> list[str]:
        return self._by_batches(_forget, keys)

    def flush(self, *, before: float | None = None, keep: str | None = None) -> int:
        last = self._sessions.call(lambda session: session.run(texts.FAILED_LAST).rows)[0][0]
        deleted = 0
        while last is not None:
            found, gone = self._sessions.call(lambda session: _flush_some(session, last, before))
            deleted += gone
            if not found:
                break
        return deleted

    def _by_batches(self, work: Work, keys: Sequence[str]) -> list[str]:
        distinct = list(dict.fromkeys(keys))
        batches = (distinct[start : start + BATCH] for start in range(0, len(distinct), BATCH))
        return [uuid for batch in batches for uuid in self._sessions.call(partial(work, keys=batch))]

    def _retry(self, session: Session, keys: Sequence[str]) -> list[str]:
        with session.transaction():
            rows = _claimed(session, texts.FAILED_TAKE, keys)
            taken = [_Taken._make(row) for row in rows]
            for portion in _portions(taken):
                _revive(session, portion)
            if taken:
                session.run(texts.FAILED_DELETE, ids=[row.id for row in taken])
        self._retried(session, {row.queue for row in taken})
        return [_name_of(row.id, row.uuid) for row in taken]


class _FailedRow(NamedTuple):
    id: int
    uuid: str | None
    connection: str
    queue: str
    job: str | None
    error: str | None
    message: str | None
    attempts: int | None
    failed_at: float | None
    payload: str | bytes | None
    text: str | None


class _Taken(NamedTuple):
    """A row on its way back to its queue."""

    id: int
    uuid: str | None
    queue: str
    now: float
    size: int | None


def write(session: Session, record: FailedRecord) -> None:
    """Keep the record of a job that fails now, inside a transaction; it replaces any other of its uuid."""
    session.run(texts.FAIL_AWAY, uuid=record.uuid)
    _insert(session, record)


def _add(session: Session, record: FailedRecord) -> None:
    """Keep a record of any age, unless there is a newer one of its uuid; one that comes meanwhile has us look again."""
    if not session.run(texts.FAILED_NEWER, uuid=record.uuid, failed_time=record.failed_at).rows:
        session.run(texts.FAIL_OLDER_AWAY, uuid=record.uuid, failed_time=record.failed_at)
        _insert(session, record)


def _insert(session: Session, record: FailedRecord) -> None:
    problem = record.problem
    session.run(
        texts.FAIL,
        uuid=record.uuid,
        connection=record.connection,
        queue=record.queue,
        payload=to_text(record.payload),
        exception=problem.text,
        failed_at=_timestamp(record.failed_at),
        job=record.job[:255],
        error=problem.type[:255],
        message=short(problem.message, LONGEST_MESSAGE),
        attempts=record.attempts,
        failed_time=record.failed_at,
    )


def _timestamp(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _claimed(session: Session, text: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of these keys that nobody else is taking, locked."""
    by_uuid = dict(session.run(texts.FAILED_IDS, keys=list(keys)).rows)
    ids = {*by_uuid.values(), *(int(key) for key in keys if key not in by_uuid and _is_id(key))}
    return session.run(text, ids=sorted(ids)).rows if ids else []


def _portions(rows: Sequence[_Taken]) -> Iterator[Sequence[_Taken]]:
    """As many at a time as may be in memory."""
    start, size = 0, 0
    for position, row in enumerate(rows):
        if position > start and size + (row.size or 0) > PORTION:
            yield rows[start:position]
            start, size = position, 0
        size += row.size or 0
    if rows:
        yield rows[start:]


def _revive(session: Session, rows: Sequence[_Taken]) -> None:
    """Push these once more, with a new life in them."""
    payloads = dict(session.run(texts.FAILED_BODIES, ids=[row.id for row in rows]).rows)
    insert_lines(session, [Line(row.queue, to_text(again(body(payloads[row.id]), now=row.now)), 0.0) for row in rows])


def _forget(session: Session, keys: Sequence[str]) -> list[str]:
    with session.transaction():
        rows = _claimed(session, texts.FAILED_CLAIM, keys)
        if rows:
            session.run(texts.FAILED_DELETE, ids=[row[0] for row in rows])
    return [_name_of(row[0], row[1]) for row in rows]


def _flush_some(session: Session, last: int, before: float | None) -> tuple[int, int]:
    """How many were found and how many of them this call deleted."""
    if before is None:
        rows = session.run(texts.FAILED_SOME, last=last).rows
    else:
        rows = session.run(texts.FAILED_SOME_BEFORE, last=last, before=before).rows
    return len(rows), session.run(texts.FAILED_DELETE, ids=[row[0] for row in rows]).count if rows else 0


def _listed(row: _FailedRow) -> FailedJob:
    if row.job is None:
        return _from_php(row)
    return FailedJob(
        id=str(row.id),
        uuid=_name_of(row.id, row.uuid),
        connection=row.connection,
        queue=row.queue,
        job=row.job,
        error=row.error or "",
        message=row.message or "",
        attempts=row.attempts or 0,
        failed_at=row.failed_at or 0.0,
    )


def _from_php(row: _FailedRow) -> FailedJob:
    """A row without our columns: name from the payload, error from the first line of the exception."""
    name, foreign = _name_and_kind(body(row.payload))
    error, _, message = str(row.text or "").partition("\n")[0].partition(": ")
    return FailedJob(
        id=str(row.id),
        uuid=_name_of(row.id, row.uuid),
        connection=row.connection,
        queue=row.queue,
        job=name,
        error=error[:255],
        message=short(message, LONGEST_MESSAGE),
        attempts=row.attempts or 0,
        failed_at=row.failed_at or 0.0,
        foreign=foreign,
    )


def _whole(row: _FailedRow) -> FailedJob:
    listed = _listed(row)
    return FailedJob(
        **{name: getattr(listed, name) for name in FailedJob.__slots__ if name not in ("payload", "text")},
        payload=body(row.payload),
        text=row.text or "",
    )


def _name_and_kind(payload: bytes) -> tuple[str, bool]:
    """The job's name, and whether only PHP can run it: a class and a method, or a serialised object."""
    try:
        found = parse(payload)
    except MalformedPayload:
        return "", False
    job, display, data = found.get("job"), found.get("displayName"), found.get("data")
    name = next((text for text in (display, job) if isinstance(text, str) and text), "")
    return name, (isinstance(job, str) and "@" in job) or (isinstance(data, dict) and "command" in data)


def _name_of(row: int, uuid: str | None) -> str:
    return uuid or str(row)


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 19
