"""Payload bytes as they lie in Redis, where sorted sets merge equal members: each must be unlike every other.

Our own end in `"id":"…","attempts":N}`, and so stay unique. What somebody else wrote gets an `id` when it is reserved;
what holds no job at all is kept whole inside an envelope of ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import Any

from queuectl.errors import MalformedPayload
from queuectl.jobs.payload import TAIL, decode, new_id, parse, with_attempts

WRAPPER = b'{"queuectl:raw":"'
WRAPPED = re.compile(rb'\{"queuectl:raw":"([A-Za-z0-9+/=]*)","id":"[0-9a-f]+","attempts":\d+\}')
UUID_FIRST = re.compile(rb'\{"uuid":"([0-9a-f-]{36})",')
"""How our payloads begin, and Laravel's: the rest need not be read for its name."""
TAIL_BYTES = 200
OWN_ID = 32
CREATED = re.compile(rb'"createdAt":(\d{1,12})')
DELAY = re.compile(rb'"delay":(\d{1,9})')


def unwrap(member: bytes) -> bytes:
    """The payload inside a member: itself, unless it is an envelope around bytes that are no job."""
    found = WRAPPED.fullmatch(member) if member.startswith(WRAPPER) else None
    if found is None:
        return member
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return member


def wrap(payload: bytes, attempts: int, identifier: str | None = None) -> bytes:
    """Bytes that are no job, whole, in JSON that no worker of any kind loses."""
    name = raw(identifier or new_id())
    return b'%s%s","id":"%s","attempts":%d}' % (WRAPPER, base64.b64encode(payload), name, attempts)


def member_of(payload: bytes, identifier: str, attempts: int) -> bytes:
    """The member behind what a listing shows."""
    if (id_of(payload), attempts_of(payload)) == (identifier, attempts):
        return payload
    return wrap(payload, attempts, identifier)


def recounted(member: bytes, attempts: int) -> bytes:
    """The member with this counter and a new `id`; wrapped if there is no job in it."""
    try:
        if not member.startswith(WRAPPER):
            decode(member)
        return with_attempts(member, attempts, fresh_id=True)
    except MalformedPayload:
        return wrap(member, attempts)


def attempts_of(payload: bytes) -> int:
    """The counter in a payload of any origin; 0 where there is none."""
    tail = TAIL.search(payload, max(0, len(payload) - TAIL_BYTES))
    return int(tail[2]) if tail else _whole(_field(payload, "attempts"))


def id_in(member: bytes, attempts: int) -> str:
    """`id_of` for a member whose counter is known: ours are recognised at a glance, for each job."""
    rest = len(member) - len(b'","attempts":%d}' % attempts)
    own = member[rest - OWN_ID : rest]
    if member[rest - OWN_ID - 6 : rest - OWN_ID] == b'"id":"' and own.isalnum():
        return own.decode()
    return id_of(member)


def id_of(payload: bytes) -> str:
    """The payload's `id`, or what stands for one: never empty."""
    tail = TAIL.search(payload, max(0, len(payload) - TAIL_BYTES))
    if tail:
        return tail[1].decode()
    named = _field(payload, "id")
    return named if isinstance(named, str) and 0 < len(named) <= 64 else digest(payload)[:32]


def mark_of(payload: bytes) -> bytes:
    """What tells this job from others through all its lives: its uuid, or a digest of what does not change."""
    if first := UUID_FIRST.match(payload):
        return first[1]
    try:
        found = parse(payload)
    except MalformedPayload:
        return digest(payload).encode()
    uuid = found.get("uuid")
    if isinstance(uuid, str) and 0 < len(uuid) <= 255:
        return raw(uuid)
    lasting = {key: value for key, value in found.items() if key not in ("id", "attempts")}
    return digest(json.dumps(lasting, sort_keys=True).encode()).encode()


def ready_since(tail: bytes) -> float | None:
    """When a job became ready, as far as the end of its payload tells: its creation and its first delay."""
    created, delay = CREATED.search(tail), DELAY.search(tail)
    if created is None:
        return None
    return float(created[1]) + (float(delay[1]) if delay else 0.0)


def digest(payload: bytes) -> str:
    return hashlib.sha1(payload, usedforsecurity=False).hexdigest()


def raw(text: str) -> bytes:
    """Any text that JSON can hold, lone surrogates included, as bytes."""
    return text.encode("utf-8", "surrogatepass")


def told(stored: bytes) -> str:
    """The text behind `raw`."""
    return stored.decode("utf-8", "surrogatepass")


def _field(payload: bytes, name: str) -> Any:
    try:
        return parse(payload).get(name)
    except MalformedPayload:
        return None


def _whole(value: Any) -> int:
    """A counter that anybody may have written."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e8
    return int(value) if usable else 0
