"""What is new, as it comes: a stream of server-sent events for one user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

PAUSE = 0.25
"""Seconds between two looks at the table."""
OVERLAP = 100
"""Rows that are looked at again: on PostgreSQL a slower transaction may fill in a smaller id afterwards."""

Fetch = Callable[[int], Sequence[dict[str, Any]]]


async def events(fetch: Fetch, after: int) -> AsyncIterator[ServerSentEvent]:
    """Each row behind the id *after* once, for as long as somebody listens.

    The table is the truth: *fetch* reads what is behind an id, in order. A browser that lost its connection says which
    id it saw last, and goes on from there.
    """
    yield ServerSentEvent(comment="listening", retry=1000)
    newest, sent = after, set[int]()
    while True:
        rows = await run_in_threadpool(fetch, max(after, newest - OVERLAP))
        for row in rows:
            if row["id"] not in sent:
                newest = max(newest, row["id"])
                yield ServerSentEvent(data=row, id=str(newest))
        sent = {row["id"] for row in rows}
        await asyncio.sleep(PAUSE)
