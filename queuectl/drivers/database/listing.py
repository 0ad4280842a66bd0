"""What operators look at: counts and pages of a queue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from queuectl.drivers.contract import Counts, Page, State, Stored
from queuectl.drivers.database import texts
from queuectl.drivers.database.rows import body
from queuectl.drivers.database.session import Session


def counts(session: Session, queues: Sequence[str] | None) -> dict[str, Counts]:
    """Three reads in one statement, each by an index: waiting, ours, and what other programs reserved."""
    among = "" if queues is None else texts.AMONG
    values: dict[str, Any] = {} if queues is None else {"queues": list(queues)}
    found = {queue: Counts() for queue in queues or ()}
    at = math.floor(session.run(texts.NOW).rows[0][0])
    for queue, ready, waiting, oldest, reserved in session.run(
        texts.COUNTS.replace("{among}", among), at=at, **values
    ).rows:
        before = found.get(queue, Counts())
        found[queue] = Counts(
            before.pending + ready,
            before.delayed + waiting - ready,
            before.reserved + reserved,
            oldest=float(oldest) if ready else before.oldest,
        )
    return found


def page(session: Session, queue: str, state: State, *, cursor: str | None, limit: int, foreign: float) -> Page[Stored]:
    """Soonest first; the cursor is where the last row stood."""
    at, _, row = (cursor or "-1:0").partition(":")
    values: dict[str, Any] = {"queue": queue, "at": float(at), "id": int(row), "limit": limit}
    if state == "reserved":
        values["foreign"] = foreign
    rows = session.run(texts.PAGES[state], **values).rows
    items = [
        Stored(queue, str(key), body(payload), int(attempts or 0), state, float(due), parked)
        for key, payload, attempts, due, parked in rows
    ]
    return Page(items, f"{items[-1].at!r}:{items[-1].id}" if len(items) == limit else None)


def stored(
    row: int,
    queue: str,
    payload: str | bytes | None,
    attempts: int | None,
    reserved_at: int | None,
    available_at: int,
    lease_end: float | None,
    parked_at: float | None,
    now: float,
) -> Stored:
    """A row of any state."""
    if reserved_at is not None:
        return Stored(queue, str(row), body(payload), int(attempts or 0), "reserved", float(lease_end or 0.0))
    state: State = "ready" if available_at <= now else "delayed"
    return Stored(queue, str(row), body(payload), int(attempts or 0), state, float(available_at), parked_at)
