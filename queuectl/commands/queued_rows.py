"""How a job in a queue looks to scripts and to people."""

from __future__ import annotations

from functools import partial
from typing import Any

from queuectl.commands.listing import Listing
from queuectl.commands.output import Output
from queuectl.commands.queued import Queued
from queuectl.commands.times import brief, coarse, iso

HEADER = ("ID", "UUID", "QUEUE", "JOB", "STATE", "SINCE", "ATTEMPTS")
NARROW_HEADER = ("ID", *HEADER[2:6])
NARROW = 120
"""Columns of a terminal that is too small for two ids a row, and for whole sentences."""
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


def briefly(one: Queued, now: float) -> str:
    """The same where there is little room: `4m`, `in 10m`, `20s left`."""
    stored = one.stored
    if stored.state == "delayed":
        return f"in {coarse(stored.at - now)}"
    return f"{coarse(stored.at - now)} left" if stored.state == "reserved" else coarse(now - stored.at)


def listing(output: Output, now: float) -> Listing[Queued]:
    if output.is_terminal and output.width < NARROW:
        return Listing(NARROW_HEADER, partial(_to_narrow_row, now=now), to_json, _uuid, NOTHING)
    return Listing(HEADER, partial(_to_row, now=now), to_json, _uuid, NOTHING)


def _to_row(one: Queued, now: float) -> tuple[str, ...]:
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


def _to_narrow_row(one: Queued, now: float) -> tuple[str, ...]:
    """With its short id, or with its uuid where there is none."""
    number, uuid, queue, job, state, *_ = _to_row(one, now)
    return (uuid if number == NO_SHORT_ID else number, queue, job, state, briefly(one, now))


def _uuid(one: Queued) -> str:
    return one.uuid
