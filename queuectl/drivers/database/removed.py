"""What operators removed, in a table of its own beside those it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from queuectl.drivers.database import removed_texts as texts
from queuectl.drivers.database.portions import first_portion
from queuectl.drivers.database.session import Session
from queuectl.drivers.database.sessions import Sessions
from queuectl.drivers.database.texts import FAILED_DELETE
from queuectl.drivers.removed import KEPT, RemovedStore, Restored

STRETCH = 4
"""How many times as many rows are looked at as are wanted: some are of other operations."""
UNCOUNTED = 10_000
"""How many are kept before somebody counts them again: others may keep some, too."""


class _Kept(NamedTuple):
    id: int
    source: str
    row: int
    uuid: str | None
    failed_at: float | None
    size: int | None
    queue: str


class SqlRemovedStore(RemovedStore):
    """Removed rows of two tables. Connections with tables in the same database share the room."""

    def __init__(self, sessions: Sessions, *, jobs: str, failed: str, returned: Callable[[Session, set[str]], None]):
        self._sessions = sessions
        self._jobs = jobs
        self._failed = failed
        self._sources = [jobs, failed]
        self._returned = returned
        self._room = 0

    def keep_jobs(self, session: Session, ids: Sequence[int], *, operation: str) -> None:
        """Keep what is about to be deleted, inside its transaction."""
        self._keep(session, texts.KEEP_JOBS, self._jobs, operation, ids)

    def keep_failed(self, session: Session, ids: Sequence[int], *, operation: str) -> None:
        self._keep(session, texts.KEEP_FAILED, self._failed, operation, ids)

    def _keep(self, session: Session, text: str, source: str, operation: str, ids: Sequence[int]) -> None:
        session.run(text, operation=operation, source=source, kept=KEPT, ids=list(ids))
        self._room -= len(ids)
        if self._room < 0:
            self._make_room(session)

    def _make_room(self, session: Session) -> None:
        forget_expired(session)
        kept = int(session.run(texts.ALL).rows[0][0])
        _delete(session, texts.OLDEST, excess=max(kept - self.most, 0))
        self._room = min(max(self.most - kept, 0), UNCOUNTED)

    def put_back(self, operation: str, *, limit: int = 500, running: bool = False) -> Restored:
        return self._sessions.call(partial(self._put_back, operation=operation, limit=limit, running=running))

    def _put_back(self, session: Session, *, operation: str, limit: int, running: bool) -> Restored:
        search = _Search(session, operation, self._sources, running=running)
        ids = search.next(limit)
        jobs, failed, rest = self._return(session, ids) if ids else ((), (), 0)
        self._returned(session, {kept.queue for kept in jobs})
        if rest or search.has_more():
            return Restored(len(jobs), len(failed), more=True)
        return Restored(len(jobs), len(failed), left=search.left())

    def _return(self, session: Session, ids: Sequence[int]) -> tuple[Sequence[_Kept], Sequence[_Kept], int]:
        """The jobs and the failures that are back, and how many were too much for once."""
        with session.transaction():
            found = [_Kept._make(row) for row in session.run(texts.CHOSEN, ids=list(ids)).rows]
            portion = first_portion(found, lambda kept: kept.size)
            jobs = [kept for kept in portion if kept.source == self._jobs]
            failed = _newest(session, [kept for kept in portion if kept.source == self._failed])
            _put(session, jobs, there=texts.JOBS_THERE, same=texts.PUT_JOBS, anew=texts.PUT_JOBS_ANEW)
            _put(session, failed, there=texts.FAILED_THERE, same=texts.PUT_FAILED, anew=texts.PUT_FAILED_ANEW)
            if portion:
                session.run(texts.DELETE, ids=[kept.id for kept in portion])
        return jobs, failed, len(found) - len(portion)

    def count(self, operation: str) -> int:
        rows = self._sessions.call(
            lambda session: session.run(texts.COUNT, operation=operation, sources=self._sources).rows
        )
        return int(rows[0][0])

    def purge(self, operation: str | None = None) -> int:
        if operation is None:
            work = partial(_delete, text=texts.SOME, sources=self._sources)
        else:
            work = partial(_delete, text=texts.SOME_OF_OPERATION, sources=self._sources, operation=operation)
        total = 0
        while deleted := self._sessions.call(work):
            total += deleted
        return total


class _Search:
    """Looks for what can be put back, a stretch of the table at a time: no plan of a database's, however little it
    knows of a table that has just filled up, reads more than a stretch for one portion."""

    def __init__(self, session: Session, operation: str, sources: list[str], *, running: bool) -> None:
        self._session = session
        self._operation = operation
        self._which = {"operation": operation, "sources": sources, "running": int(running)}
        self._last = 0

    def next(self, limit: int) -> list[int]:
        found: list[int] = []
        while not found and (first := self._first()) is not None:
            self._last = first + STRETCH * limit
            rows = self._session.run(texts.FOUND, first=first, last=self._last, limit=limit, **self._which).rows
            found = [row[0] for row in rows]
        if len(found) == limit:
            self._last = found[-1]
        return found

    def has_more(self) -> bool:
        """Is there anything behind what `next` gave?"""
        return self._first() is not None

    def left(self) -> int:
        """How many stay where they are."""
        ((movable, kept),) = self._session.run(texts.LEFT, **self._which).rows
        return int(kept - movable)

    def _first(self) -> int | None:
        ((first,),) = self._session.run(texts.NEXT, operation=self._operation, after=self._last).rows
        return None if first is None else int(first)


def forget_expired(session: Session) -> int:
    """Delete a thousand of those whose time is up, and say how many they were."""
    return _delete(session, texts.EXPIRED)


def _delete(session: Session, text: str, **values: object) -> int:
    """Those that *text* finds, by number, so that nobody deadlocks."""
    ids = sorted(row[0] for row in session.run(text, **values).rows)
    return session.run(texts.DELETE, ids=ids).count if ids else 0


def _newest(session: Session, rows: Sequence[_Kept]) -> list[_Kept]:
    """Those that have no newer namesake in the failed store; an older one is deleted."""
    uuids = [kept.uuid for kept in rows if kept.uuid is not None]
    there = {uuid: rest for uuid, *rest in session.run(texts.FAILED_NAMESAKES, uuids=uuids).rows} if uuids else {}
    newest = [kept for kept in rows if kept.uuid not in there or there[kept.uuid][1] <= (kept.failed_at or 0.0)]
    older = sorted(there[kept.uuid][0] for kept in newest if kept.uuid in there)
    if older:
        session.run(FAILED_DELETE, ids=older)
    return newest


def _put(session: Session, rows: Sequence[_Kept], *, there: str, same: str, anew: str) -> None:
    """Each under its own number, if nobody has got that meanwhile."""
    if not rows:
        return
    taken = {row[0] for row in session.run(there, ids=[kept.row for kept in rows]).rows}
    for text, ids in (
        (same, [kept.id for kept in rows if kept.row not in taken]),
        (anew, [kept.id for kept in rows if kept.row in taken]),
    ):
        if ids:
            session.run(text, ids=ids)
