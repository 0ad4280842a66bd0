"""Putting entries into the table, and taking the keys that keep them unique."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from queuectl.drivers.database import texts
from queuectl.drivers.database.session import Session
from queuectl.jobs.outcome import Entry, Unique
from queuectl.jobs.payload import to_text

CHUNK_ROWS = 200
CHUNK_BYTES = 2_000_000
LOCK = "lock:"
Line = tuple[str, str, float]
"""Queue, payload text, delay."""


def insert(session: Session, entries: Sequence[Entry]) -> list[str]:
    """The uuid that now stands for each entry. Inside a transaction, unless `is_one_statement`."""
    stands: list[str] = []
    fresh: list[Line] = []
    for entry in entries:
        holder = None if entry.unique is None else _taken_by(session, entry.unique, entry.uuid)
        stands.append(holder or entry.uuid)
        if holder is None:
            fresh.append((entry.queue, to_text(entry.payload), entry.delay))
    insert_lines(session, fresh)
    return stands


def is_one_statement(entries: Sequence[Entry]) -> bool:
    size = sum(len(entry.payload) for entry in entries)
    return not any(entry.unique for entry in entries) and len(entries) <= CHUNK_ROWS and size <= CHUNK_BYTES


def insert_lines(session: Session, lines: Sequence[Line]) -> None:
    for chunk in _chunks(lines):
        numbered = [_numbered(session, number) for number in range(len(chunk))]
        values: dict[str, Any] = {}
        for number, (queue, payload, delay) in enumerate(chunk):
            values |= {f"queue{number}": queue, f"payload{number}": payload, f"delay{number}": float(delay)}
        session.run(texts.PUSH + ", ".join(numbered), **values)


def unlock(session: Session, keys: Sequence[str], *, holder: str) -> None:
    """Free these unique keys where this job still holds them."""
    for key in keys:
        session.run(texts.CONTROL_DELETE_HELD, key=LOCK + key, holding=holder)


def put_new(session: Session, key: str, value: str, ttl: float | None) -> bool:
    """Write if nothing living is there; whether it was written. Inside a transaction."""
    session.run(texts.CONTROL_FORGET_DEAD, key=key)
    return session.run(texts.CONTROL_INSERT_NEW, key=key, value=value, ttl=ttl).count > 0


def _taken_by(session: Session, unique: Unique, uuid: str) -> str | None:
    """Take the key for *uuid*, or say who holds it."""
    key = LOCK + unique.key
    while not put_new(session, key, uuid, unique.ttl):
        held = session.run(texts.CONTROL_GET, key=key).rows
        if held:
            return str(held[0][0])
    return None


def _numbered(session: Session, number: int) -> str:
    row = session.grammar.worded(texts.PUSH_ROW)
    return re.sub(r":(queue|payload|delay)\b", rf":\g<1>{number}", row)


def _chunks(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    start, size = 0, 0
    for position, (_, payload, _) in enumerate(lines):
        if position > start and (position - start >= CHUNK_ROWS or size + len(payload) > CHUNK_BYTES):
            yield lines[start:position]
            start, size = position, 0
        size += len(payload)
    if lines:
        yield lines[start:]
