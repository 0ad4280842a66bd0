"""How a job in a queue looks to scripts and to people."""

from __future__ import annotations

from typing import Any

from queuectl.commands.listing import Listing
from queuectl.commands.output import Output
from queuectl.commands.queued import Queued
from queuectl.commands.times import brief, iso

HEADER = ("ID", "UUID", "QUEUE", "JOB", "STATE", "SINCE", "ATTEMPTS")
HEADER_OF_ONE_ID = ("ID", *HEADER[2:])
NARROW = 120
"""Columns of a terminal that is too small for two ids a row."""
NO_SHORT_ID = "-"
NOTHING = "No jobs found."


def to_json(one: Queued) -> dict[str, Any]:
    """The id is the uuid: it means one job wherever it lies. Of the moments, those that its state has."""
    stored = one.stored
    return {
        "id": one.uuid,
        "uuid": one.uuid,
        "short_id": stored.id,
        "connection": one.connection,
        "queue": stored.queue,
        "job": one.job,
        "state": one.state,
        "attempts": stored.attempts,
        "ready_at": iso(stored.at) if stored.state == "ready" else None,
        "due_at": iso(stored.at) if stored.state == "delayed" else None,
        "lease_ends_at": iso(stored.at) if stored.state == "reserved" else None,
        "parked_at": None if stored.parked_at is None else iso(stored.parked_at),
        "created_at": None if one.created_at is None else iso(one.created_at),
        "size": len(stored.payload),
    }


def waits(one: Queued, now: float) -> str:
    """What its moment means: `for 4m 5s`, `due in 10m`, `lease ends in 20s`."""
    stored = one.stored
    if stored.state == "delayed":
        return f"due in {brief(stored.at - now)}"
    if stored.state == "reserved":
        return f"lease ends in {brief(stored.at - now)}" if stored.at > now else "lease has ended"
    return f"for {brief(now - stored.at)}"


def listing(output: Output, now: float) -> Listing[Queued]:
    def to_row(one: Queued) -> tuple[str, ...]:
        stored = one.stored
        return (
            stored.id if stored.id.isdigit() else NO_SHORT_ID,
            one.uuid,
            f"{one.connection}@{stored.queue}",
            one.job or "?",
            one.state,
            waits(one, now),
            str(stored.attempts),
        )

    def to_row_with_one_id(one: Queued) -> tuple[str, ...]:
        short, uuid, *others = to_row(one)
        return (uuid if short == NO_SHORT_ID else short, *others)

    if output.is_terminal and output.width < NARROW:
        return Listing(HEADER_OF_ONE_ID, to_row_with_one_id, to_json, _uuid, NOTHING)
    return Listing(HEADER, to_row, to_json, _uuid, NOTHING)


def _uuid(one: Queued) -> str:
    return one.uuid
