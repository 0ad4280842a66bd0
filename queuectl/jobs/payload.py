"""The payload: one JSON text in Laravel's envelope, so that PHP and Python share queues.

`encode` writes it at dispatch, `decode` reads the envelope and leaves the arguments alone, `again` makes a failed
payload ready for another life. Keys and their order are Laravel's (`data` holds our arguments as opaque text);
`id` and `attempts` come last on every driver, so that a store can find the counter without decoding anything.
"""

from __future__ import annotations

import base64
import json
import math
import re
import struct
import time
from os import urandom
from typing import Any

from queuectl.config.schema import QUEUE_NAME
from queuectl.errors import InvalidName, MalformedPayload
from queuectl.jobs.envelope import LONGEST_NAME, STRICT, WATCH, envelope_of, number_of, text_of
from queuectl.jobs.envelope import Envelope as Envelope
from queuectl.jobs.form import form, head, read

TAIL = re.compile(rb'"id":"([0-9A-Za-z-]{1,64})","attempts":(\d{1,9})((?:,"delay":(?:null|\d{1,12}))?\}\s*)$')
"""How our own payloads end, and Laravel's for Redis (with a `delay` behind): what a driver rewrites when the counter or
the identity of an attempt changes."""
_WINDOW = b'"retryUntil":'
_WATCH = re.compile(rb'"watch":"%s",\Z' % WATCH.encode())
_LONGEST_WATCH = 80
BASE64 = "base64:"
_IDENTITY = struct.Struct("4s 2s 2s 2s 6s 16s")
"""The five parts of a uuid, and an id."""
_VERSIONS, _VARIANTS = bytes(byte & 15 | 64 for byte in range(256)), bytes(byte & 63 | 128 for byte in range(256))
"""What the seventh and the ninth byte of a uuid become: version 4 in the one, two bits that are given in the other."""
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
"""The digit of a uuid that is random in two bits only."""


def check_queue_name(queue: str) -> str:
    """The name itself, or `InvalidName`: names become keys, patterns and lines of configuration."""
    if not isinstance(queue, str) or not QUEUE_NAME.fullmatch(queue):
        raise InvalidName(
            f"{queue!r} is not a queue name: letters, digits and . _ : {{ }} @ - only, at most 191 of them."
        )
    return queue


def new_id() -> str:
    """Tells one life of a payload from the next; random enough to serve as a fencing token."""
    return urandom(16).hex()


def new_uuid() -> str:
    """A random one (version 4)."""
    return _uuid(urandom(16).hex())


def new_identity() -> tuple[str, str]:
    """A uuid and an id for a new job."""
    drawn = urandom(32).hex()
    return _uuid(drawn[:32]), drawn[32:]


def new_identities(count: int) -> list[tuple[str, str]]:
    """A uuid and an id for each of so many new jobs.

    Drawn at once, and for these only: what is kept in stock would come twice after a fork.
    """
    drawn = bytearray(urandom(_IDENTITY.size * count))
    drawn[6 :: _IDENTITY.size] = drawn[6 :: _IDENTITY.size].translate(_VERSIONS)
    drawn[8 :: _IDENTITY.size] = drawn[8 :: _IDENTITY.size].translate(_VARIANTS)
    return [
        (f"{low.hex()}-{mid.hex()}-{high.hex()}-{clock.hex()}-{node.hex()}", identity.hex())
        for low, mid, high, clock, node, identity in _IDENTITY.iter_unpack(drawn)
    ]


def encode(
    *,
    job: str,
    arguments: str,
    uuid: str,
    tries: int | None = None,
    max_exceptions: int | None = None,
    fail_on_timeout: bool | None = None,
    backoff: tuple[int, ...] | None = None,
    timeout: int | None = None,
    retry_until: float | None = None,
    delay: float | None = None,
    created_at: float | None = None,
) -> bytes:
    """The payload of a new job. *arguments* is JSON text; `UnicodeEncodeError` if it holds lone surrogates."""
    until = None if retry_until is None else math.ceil(retry_until)
    beginning = head(job, tries, max_exceptions, fail_on_timeout, backoff, timeout, until)
    blank = form(beginning, delay=delay, created_at=time.time() if created_at is None else created_at)
    return blank.fill(to_json(uuid).decode()[1:-1], arguments, new_id())


def to_json(value: Any, *, errors: str = "strict") -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode(errors=errors)


def parse(payload: bytes) -> dict[str, Any]:
    """The payload as a JSON object, or `MalformedPayload` saying what is wrong with it."""
    try:
        found = STRICT.decode(payload.decode())
    except UnicodeDecodeError as error:
        raise MalformedPayload(f"The payload is not UTF-8: {error.reason} at byte {error.start}.") from None
    except RecursionError:
        raise MalformedPayload("The payload is nested too deeply.") from None
    except ValueError as error:
        raise MalformedPayload(f"The payload is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise MalformedPayload("The payload is JSON, but not an object.")
    return found


def decode(payload: bytes) -> Envelope:
    """Read the envelope, and leave the arguments alone. `MalformedPayload` if there is no job to run in it."""
    try:
        found = read(payload.decode())
    except UnicodeDecodeError:
        found = None
    found = found or envelope_of(parse(payload))
    if found is None:
        raise MalformedPayload(f"The payload names no job: `job` must be 1 to {LONGEST_NAME} printable characters.")
    return found


def identity(payload: bytes) -> tuple[str, str]:
    """`(uuid, display name)` of any bytes whatever: a made uuid and an empty name where they tell none."""
    try:
        envelope = decode(payload)
    except MalformedPayload:
        return new_uuid(), ""
    return envelope.uuid or new_uuid(), envelope.display


def again(payload: bytes, *, now: float, watch: str | None = None) -> bytes:
    """The payload for another life: attempts at 0, a new `id`, the same uuid, its time window moved to *now*.

    *watch*: under which name somebody waits for its end; whoever waited for the former life does no longer. Bytes that
    cannot be understood come back as they are.
    """
    revived = _revived(payload, now)
    return watched(revived, watch) if watch or b'"watch":"' in revived else revived


def watched(payload: bytes, watch: str | None) -> bytes:
    """The payload with a note that somebody waits for its end under this name, or with none."""
    tail = TAIL.search(payload)
    if tail is None:
        return payload
    start = tail.start()
    former = _WATCH.search(payload, max(start - _LONGEST_WATCH, 0), start)
    note = b'"watch":"%s",' % watch.encode() if watch else b""
    return payload[: former.start() if former else start] + note + payload[start:]


def _revived(payload: bytes, now: float) -> bytes:
    tail = TAIL.search(payload)
    if tail and payload.count(_WINDOW) == payload.count(_WINDOW + b"null"):  # no window to move
        return _with_tail(payload, tail, new_id().encode(), 0)
    try:
        found = parse(payload)
    except MalformedPayload:
        return payload
    until, created = number_of(found.get("retryUntil")), number_of(found.get("createdAt"))
    if until is not None:
        found["retryUntil"] = math.ceil(now + max(until - created, 1)) if created is not None else None
        found["createdAt"] = int(now)
    return _retail(found, attempts=0)


def with_attempts(payload: bytes, attempts: int, *, fresh_id: bool = False) -> bytes:
    """The payload with another counter, everything else byte for byte where it ends as ours do.

    *fresh_id*: also a new identity, so that a counter may go down without two attempts ever looking alike.
    Raises `MalformedPayload` for bytes that are not a JSON object.
    """
    tail = TAIL.search(payload)
    if tail is None:
        found = parse(payload)
        return _retail(found, attempts=attempts, keep_id=not fresh_id)
    return _with_tail(payload, tail, new_id().encode() if fresh_id else tail[1], attempts)


def _with_tail(payload: bytes, former: re.Match[bytes], identifier: bytes, attempts: int) -> bytes:
    return b'%s"id":"%s","attempts":%d%s' % (payload[: former.start()], identifier, attempts, former[3])


def to_text(payload: bytes) -> str:
    """Any bytes as text that every store accepts; `from_text` gives the same bytes back."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return BASE64 + base64.b64encode(payload).decode()
    return BASE64 + base64.b64encode(payload).decode() if "\0" in text or text.startswith(BASE64) else text


def from_text(text: str) -> bytes:
    """The bytes behind `to_text`."""
    if text.startswith(BASE64):
        try:
            return base64.b64decode(text.removeprefix(BASE64), validate=True)
        except ValueError:
            pass
    return text.encode("utf-8", "surrogateescape")


def _retail(found: dict[str, Any], *, attempts: int, keep_id: bool = False) -> bytes:
    former = text_of(found.pop("id", None))
    found.pop("attempts", None)
    identifier = former if keep_id else None
    # Half a character that JSON wrote as an escape (\ud800) is written so again: UTF-8 has no other way for it.
    return to_json({**found, "id": identifier or new_id(), "attempts": attempts}, errors="backslashreplace")


def _uuid(drawn: str) -> str:
    """32 random digits as a uuid of version 4."""
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{_VARIANT[drawn[16]]}{drawn[17:20]}-{drawn[20:]}"
