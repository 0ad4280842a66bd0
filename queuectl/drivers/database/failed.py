"""The failed store: Laravel's table, with columns of ours so that listings need no bodies."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from queuectl.drivers.contract import FailedJob, FailedStore, Page
from queuectl.drivers.database import texts
from queuectl.drivers.database.entries import insert_lines
from queuectl.drivers.database.failed_rows import LONGEST_MESSAGE, FailedRow, listed, name_of, whole
from queuectl.drivers.database.portions import first_portion
from queuectl.drivers.database.removed import SqlRemovedStore
from queuectl.drivers.database.removing import Keep
from queuectl.drivers.database.rows import body, is_id, short
from queuectl.drivers.database.session import Line, Session
from queuectl.drivers.database.sessions import Sessions
from queuectl.jobs.fingerprint import fingerprint
from queuectl.jobs.outcome import FailedRecord
from queuectl.jobs.payload import again, to_text

BATCH = 500
PORTION = 2_000_000
"""Characters of payloads that a retry holds at a time, beside those of small ones."""
SMALL = PORTION // BATCH
LAST = 2**63 - 1


class SqlFailedStore(FailedStore):
    """Failed jobs beside their queue."""

    def __init__(
        self, sessions: Sessions, removed: SqlRemovedStore, *, retried: Callable[[Session, set[str]], None]
    ) -> None:
        self._sessions = sessions
        self._removed = removed
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
        items = [listed(FailedRow._make(row)) for row in rows]
        return Page(items, items[-1].id if len(items) == limit else None)

    def get(self, key: str) -> FailedJob | None:
        def work(session: Session) -> list[tuple[Any, ...]]:
            found = session.run(texts.FAILED_BY_UUID, key=key).rows
            return found or (session.run(texts.FAILED_BY_ID, key=int(key)).rows if is_id(key) else [])

        rows = self._sessions.call(work)
        return whole(FailedRow._make(rows[0])) if rows else None

    def count(self) -> int:
        return int(self._sessions.call(lambda session: session.run(texts.FAILED_COUNT).rows)[0][0])

    def retry(self, keys: Sequence[str], *, watch: str | None = None) -> list[str]:
        return [
            uuid
            for batch in _batches(keys)
            for uuid in self._sessions.call(partial(self._retry, keys=batch, watch=watch))
        ]

    def forget(self, keys: Sequence[str], *, keep: str | None = None) -> list[str]:
        keeping = self._keeping(keep)
        forgotten: list[str] = []
        for batch in _batches(keys):
            left = batch
            while left:
                gone, left = self._sessions.call(partial(_forget, keys=left, keep=keeping))
                forgotten += gone
        return forgotten

    def flush(self, *, before: float | None = None, keep: str | None = None) -> int:
        last = self._sessions.call(lambda session: session.run(texts.FAILED_LAST).rows)[0][0]
        deleted = 0
        while last is not None:
            found, gone = self._sessions.call(partial(_flush_some, last=last, before=before, keep=self._keeping(keep)))
            deleted += gone
            if not found:
                break
        return deleted

    def _keeping(self, operation: str | None) -> Keep | None:
        return None if operation is None else partial(self._removed.keep_failed, operation=operation)

    def _retry(self, session: Session, keys: Sequence[str], watch: str | None) -> list[str]:
        with session.transaction():
            taken = list(map(_Taken._make, _claimed(session, texts.FAILED_TAKE, keys, small=SMALL)))
            [(now,)] = session.run(texts.NOW).rows
            for portion in _portions(taken):
                _revive(session, portion, now, watch)
            if taken:
                session.run(texts.FAILED_DELETE, ids=[row.id for row in taken])
        self._retried(session, {row.queue for row in taken})
        return [name_of(row.id, row.uuid) for row in taken]


class _Taken(NamedTuple):
    """A row on its way back to its queue."""

    id: int
    uuid: str | None
    queue: str
    size: int | None
    payload: str | bytes | None
    """Of a small one."""


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
        fingerprint=fingerprint(record.job, problem),
        place=problem.place[:255],
    )


def _timestamp(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _claimed(session: Session, text: str, keys: Sequence[str], **values: Any) -> list[tuple[Any, ...]]:
    """The rows of these keys that nobody else is taking, locked."""
    if not any(map(is_id, keys)):
        by_uuids = text.replace(texts.AMONG_IDS, texts.AMONG_UUIDS)
        return session.run(by_uuids, uuids=list(keys), **values).rows
    by_uuid = dict(session.run(texts.FAILED_IDS, keys=list(keys)).rows)
    ids = {*by_uuid.values(), *(int(key) for key in keys if key not in by_uuid and is_id(key))}
    return session.run(text, ids=sorted(ids), **values).rows if ids else []


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


def _revive(session: Session, rows: Sequence[_Taken], now: float, watch: str | None) -> None:
    """Push these once more, with a new life in them."""
    payloads = {row.id: row.payload for row in rows}
    large = [row for row, payload in payloads.items() if payload is None]
    if large:
        payloads |= dict(session.run(texts.FAILED_BODIES, ids=large).rows)
    revived = ((row.queue, again(body(payloads[row.id]), now=now, watch=watch)) for row in rows)
    insert_lines(session, [Line(queue, to_text(payload), 0.0) for queue, payload in revived])


def _batches(keys: Sequence[str]) -> Iterator[list[str]]:
    distinct = list(dict.fromkeys(keys))
    return (distinct[start : start + BATCH] for start in range(0, len(distinct), BATCH))


def _forget(session: Session, keys: Sequence[str], keep: Keep | None) -> tuple[list[str], list[str]]:
    """What this call deleted, and the keys of what was too much for once."""
    with session.transaction():
        rows = _claimed(session, texts.FAILED_CLAIM if keep is None else texts.FAILED_CLAIM_SIZED, keys)
        portion = first_portion(rows, _size)
        _delete(session, [row[0] for row in portion], keep)
    return [name_of(row[0], row[1]) for row in portion], [str(row[0]) for row in rows[len(portion) :]]


def _flush_some(session: Session, last: int, before: float | None, keep: Keep | None) -> tuple[int, int]:
    """How many were found and how many of them this call deleted."""
    text = texts.FAILED_SOME.replace("{before}", "" if before is None else texts.FAILED_BEFORE)
    values = {} if before is None else {"before": before}
    ids = [row[0] for row in session.run(text, last=last, **values).rows]
    if keep is None or not ids:
        return len(ids), _delete(session, ids, None)
    with session.transaction():
        held = first_portion(session.run(texts.FAILED_HELD, ids=ids).rows, _size)
        return len(ids), _delete(session, [row[0] for row in held], keep)


def _delete(session: Session, ids: Sequence[int], keep: Keep | None) -> int:
    if not ids:
        return 0
    if keep is not None:
        keep(session, ids)
    return session.run(texts.FAILED_DELETE, ids=list(ids)).count


def _size(row: Sequence[Any]) -> int:
    """The last column."""
    return int(row[-1] or 0)
