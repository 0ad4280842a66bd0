"""Deleting jobs at an operator's word, a portion at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from queuectl.drivers.contract import Stored
from queuectl.drivers.database import texts
from queuectl.drivers.database.portions import first_portion
from queuectl.drivers.database.session import Session
from queuectl.drivers.database.sessions import Sessions

Keep = Callable[[Session, Sequence[int]], None]
"""Puts rows aside before they are deleted."""
AT_ONCE = 1000
"""Jobs that a transaction deletes."""


def clear(sessions: Sessions, queue: str, keep: Keep | None) -> int:
    """Delete what the queue holds now; how many. By number, so that nobody deadlocks."""
    ((last,),) = sessions.call(lambda session: session.run(texts.LAST_ID, queue=queue).rows)
    deleted = 0
    while last is not None and (ids := sessions.call(partial(_some, queue=queue, last=last))):
        while ids:
            seen, gone = sessions.call(partial(_clear_some, ids=ids[:AT_ONCE], keep=keep))
            deleted, ids = deleted + gone, ids[seen:]
    return deleted


def cancel(sessions: Sessions, jobs: Sequence[Stored], keep: Keep | None) -> list[Stored]:
    """Delete those that wait as they were found, and return them."""
    left, gone = [*{stored.id: stored for stored in jobs}.values()], list[Stored]()
    while left:
        portion = first_portion(left[:AT_ONCE], lambda stored: len(stored.payload))
        gone += sessions.call(partial(_cancel_some, jobs=portion, keep=keep))
        left = left[len(portion) :]
    return gone


def _some(session: Session, queue: str, last: int) -> list[int]:
    return [row[0] for row in session.run(texts.SOME_IDS, queue=queue, last=last).rows]


def _clear_some(session: Session, ids: Sequence[int], keep: Keep | None) -> tuple[int, int]:
    """How many this call looked at, and how many it deleted."""
    if keep is None:
        return len(ids), _delete(session, ids, None)
    with session.transaction():
        held = session.run(texts.HELD_IDS, ids=list(ids)).rows
        portion = first_portion(held, lambda row: row[1])
        gone = _delete(session, [row[0] for row in portion], keep)
    return len(ids) if len(portion) == len(held) else ids.index(held[len(portion)][0]), gone


def _cancel_some(session: Session, jobs: Sequence[Stored], keep: Keep | None) -> list[Stored]:
    with session.transaction():
        rows = session.run(texts.WAITING_IDS, ids=sorted(int(stored.id) for stored in jobs)).rows
        now = {str(row): (queue, int(attempts or 0), float(due)) for row, queue, attempts, due in rows}
        same = [stored for stored in jobs if now.get(stored.id) == (stored.queue, stored.attempts, stored.at)]
        _delete(session, sorted(int(stored.id) for stored in same), keep)
    return same


def _delete(session: Session, ids: Sequence[int], keep: Keep | None) -> int:
    if not ids:
        return 0
    if keep is not None:
        keep(session, ids)
    return session.run(texts.DELETE_IDS, ids=list(ids)).count
