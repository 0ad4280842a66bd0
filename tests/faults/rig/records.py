"""What the failed store says of an arena's jobs."""

from __future__ import annotations

from contextlib import closing

from queuectl.drivers.contract import FailedJob
from queuectl.failing import each
from tests.faults.rig.arena import Arena
from tests.faults.rig.keys import key_of


def records(arena: Arena) -> dict[str, FailedJob]:
    """Whole, by key."""
    with closing(arena.app()) as app:
        store = app.driver(arena.project.connection).failed
        whole = [store.get(row.uuid) for row in list(each(store))]
        return {key_of(job.payload): job for job in whole if job is not None}
