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
import time
from dataclasses import dataclass
from os import urandom
from typing import Any

from queuectl.config.schema import QUEUE_NAME
from queuectl.errors import InvalidName, MalformedPayload

TAIL = re.compile(rb'"id":"([0-9A-Za-z-]{1,64})","attempts":(\d{1,9})((?:,"delay":(?:null|\d{1,12}))?\}\s*)$')
"""How our own payloads end, and Laravel's for Redis (with a `delay` behind): what a driver rewrites when the counter or
the identity of an attempt changes."""
BASE64 = "base64:"
MAX_TRIES, MAX_TIMEOUT = 1_000, 86_400
_FREE, _VERSION_4 = ~(0xF000C000 << 48), 0x40008000 << 48
"""What is random in a uuid, and what says so."""
LONGEST_NAME = 255
"""Characters of a job's name, a display name, a uuid."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the house reads of a payload. Settings are None where the payload leaves them to the class or the flags."""

    uuid: str
    job: str
    display: str
    data: Any
    tries: int | None = None
    max_exceptions: int | None = None
    fail_on_timeout: bool | None = None
    backoff: tuple[int, ...] | None = None
    timeout: int | None = None
    retry_until: float | None = None
    created_at: float | None = None

    @property
    def arguments(self) -> str | None:
        """Our own arguments as JSON text, or None when `data` was written by somebody else and is the arguments."""
        if isinstance(self.data, dict) and self.data.keys() == {"args"} and isinstance(self.data["args"], str):
            return self.data["args"]
        return None


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
    drawn = int.from_bytes(urandom(16)) & _FREE | _VERSION_4
    text = f"{drawn:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


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
    envelope = {
        "uuid": uuid,
        "displayName": job,
        "job": job,
        "maxTries": tries,
        "maxExceptions": max_exceptions,
        "failOnTimeout": bool(fail_on_timeout),
        "backoff": None if backoff is None else ",".join(map(str, backoff)),
        "timeout": timeout,
        "retryUntil": None if retry_until is None else math.ceil(retry_until),
        "data": {"args": arguments},
        "createdAt": int(time.time() if created_at is None else created_at),
        "delay": None if not delay else math.ceil(delay),
        "id": new_id(),
        "attempts": 0,
    }
    return to_json(envelope)


def to_json(value: Any, *, errors: str = "strict") -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode(errors=errors)


def parse(payload: bytes) -> dict[str, Any]:
    """The payload as a JSON object, or `MalformedPayload` saying what is wrong with it."""
    try:
        found = json.loads(payload.decode(), parse_constant=_refuse_constant, parse_float=_finite)
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
    """Read the envelope. `MalformedPayload` if there is no job to run in it; every other key may be missing.

    Names and uuid are printable and short, whoever wrote them: they become keys, columns and lines of a terminal.
    """
    found = parse(payload)
    job = _text(found.get("job"))
    if job is None:
        raise MalformedPayload(f"The payload names no job: `job` must be 1 to {LONGEST_NAME} printable characters.")
    return Envelope(
        uuid=_text(found.get("uuid")) or _text(found.get("id")) or "",
        job=job,
        display=_text(found.get("displayName")) or job,
        data=found.get("data"),
        tries=_whole(found.get("maxTries"), MAX_TRIES),
        max_exceptions=_whole(found.get("maxExceptions"), MAX_TRIES),
        fail_on_timeout=True if found.get("failOnTimeout") is True else None,
        backoff=_backoff(found.get("backoff")),
        timeout=_whole(found.get("timeout"), MAX_TIMEOUT),
        retry_until=_number(found.get("retryUntil")),
        created_at=_number(found.get("createdAt")),
    )


def identity(payload: bytes) -> tuple[str, str]:
    """`(uuid, display name)` of any bytes whatever: a made uuid and an empty name where they tell none."""
    try:
        envelope = decode(payload)
    except MalformedPayload:
        return new_uuid(), ""
    return envelope.uuid or new_uuid(), envelope.display


def again(payload: bytes, *, now: float) -> bytes:
    """The payload for another life: attempts at 0, a new `id`, the same uuid, its time window moved to *now*.

    Bytes that cannot be understood come back as they are.
    """
    try:
        found = parse(payload)
    except MalformedPayload:
        return payload
    until, created = _number(found.get("retryUntil")), _number(found.get("createdAt"))
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
    identifier = new_id().encode() if fresh_id else tail[1]
    return b'%s"id":"%s","attempts":%d%s' % (payload[: tail.start()], identifier, attempts, tail[3])


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
    former = _text(found.pop("id", None))
    found.pop("attempts", None)
    identifier = former if keep_id else None
    # Half a character that JSON wrote as an escape (\ud800) is written so again: UTF-8 has no other way for it.
    return to_json({**found, "id": identifier or new_id(), "attempts": attempts}, errors="backslashreplace")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable() else None


def _number(value: Any) -> float | None:
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12 else None
    )


def _whole(value: Any, most: int) -> int | None:
    """A setting from a payload, which anybody may have written: nonsense counts as not set, excess is capped."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return min(value, most)


def _backoff(value: Any) -> tuple[int, ...] | None:
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    steps = [_whole(int(part) if _is_digits(part) else part, 10 * 365 * 86_400) for part in parts]
    return tuple(step for step in steps if step is not None) if steps and None not in steps else None


def _is_digits(value: Any) -> bool:
    return isinstance(value, str) and value.strip().isascii() and value.strip().isdigit()
