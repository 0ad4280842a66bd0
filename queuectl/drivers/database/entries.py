"""Putting entries into the table, and taking the keys that keep them unique."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from queuectl.drivers.database import texts
from queuectl.drivers.database.session import Line, Session, Statements
from queuectl.jobs.outcome import Entry, Unique
from queuectl.jobs.payload import to_text

CHUNK_BYTES = 2_000_000
LOCK = "lock:"


def push(session: Session, entries: Sequence[Entry]) -> list[str]:
    """The uuid that now stands for each entry, all or none."""
    if is_one_step(session, entries):
        session.insert([Line(entry.queue, to_text(entry.payload), entry.delay) for entry in entries])
        return [entry.uuid for entry in entries]
    with session.transaction():
        return insert(session, entries)


def insert(session: Statements, entries: Sequence[Entry]) -> list[str]:
    """As `push`, inside a transaction."""
    stands: list[str] = []
    fresh: list[Line] = []
    for entry in entries:
        holder = None if entry.unique is None else _taken_by(session, entry.unique, entry.uuid)
        stands.append(holder or entry.uuid)
        if holder is None:
            fresh.append(Line(entry.queue, to_text(entry.payload), entry.delay))
    insert_lines(session, fresh)
    return stands


def is_one_step(session: Session, entries: Sequence[Entry]) -> bool:
    """Does the session take all of these at once?"""
    size = 0
    for entry in entries:
        if entry.unique is not None:
            return False
        size += len(entry.payload)
    return size <= CHUNK_BYTES and len(entries) <= session.lines_at_once


def insert_lines(session: Statements, lines: Sequence[Line]) -> None:
    for chunk in _chunks(lines, session.lines_at_once):
        session.insert(chunk)


def unlock(session: Statements, keys: Sequence[str], *, holder: str) -> int:
    """Free these unique keys where this job still holds them; how many it did."""
    return sum(session.run(texts.CONTROL_DELETE_HELD, key=LOCK + key, holding=holder).count for key in keys)


def put_new(session: Statements, key: str, value: str, ttl: float | None) -> bool:
    """Write if nothing living is there; whether it was written. Inside a transaction."""
    if session.run(texts.CONTROL_INSERT_NEW, key=key, value=value, ttl=ttl).count:
        return True
    if not session.run(texts.CONTROL_FORGET_DEAD, key=key).count:
        return False
    return session.run(texts.CONTROL_INSERT_NEW, key=key, value=value, ttl=ttl).count > 0


def _taken_by(session: Statements, unique: Unique, uuid: str) -> str | None:
    """Take the key for *uuid*, or say who holds it."""
    key = LOCK + unique.key
    while not put_new(session, key, uuid, unique.ttl):
        held = session.run(texts.CONTROL_HELD, key=key).rows
        if held:
            return str(held[0][0])
    return None


def _chunks(lines: Sequence[Line], most: int) -> Iterator[Sequence[Line]]:
    start, size = 0, 0
    for position, line in enumerate(lines):
        if position > start and (position - start >= most or size + len(line.payload) > CHUNK_BYTES):
            yield lines[start:position]
            start, size = position, 0
        size += len(line.payload)
    if lines:
        yield lines[start:]
