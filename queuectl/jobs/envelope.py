"""What the house reads of a payload, whoever wrote it: nonsense counts as not said, excess is cut."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

MAX_TRIES, MAX_TIMEOUT, MAX_BACKOFF = 1_000, 86_400, 10 * 365 * 86_400
LONGEST_NAME = 255
"""Characters of a job's name, a display name, a uuid."""
WATCH = r"[0-9A-Za-z-]{1,64}"
"""What a watch may be called: it becomes part of a key."""
_WATCH = re.compile(WATCH)


class Envelope(NamedTuple):  # not a frozen dataclass, which takes five times as long to make
    """Settings are None where the payload leaves them to the class or the flags."""

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
    watch: str = ""
    """Under which name somebody waits for the end of this job; empty if nobody does."""
    more: Mapping[str, Any] = MappingProxyType({})
    """What only some jobs have: `context`."""

    @property
    def arguments(self) -> str | None:
        """Our own arguments as JSON text, or None when `data` was written by somebody else and is the arguments."""
        if isinstance(self.data, dict) and self.data.keys() == {"args"} and isinstance(self.data["args"], str):
            return self.data["args"]
        return None


def envelope_of(found: dict[str, Any]) -> Envelope | None:
    """Of a payload's keys; None if they name no job. Every other key may be missing.

    Names and uuid are printable and short: they become keys, columns and lines of a terminal.
    """
    job = text_of(found.get("job"))
    if job is None:
        return None
    return Envelope(
        uuid=text_of(found.get("uuid")) or text_of(found.get("id")) or "",
        job=job,
        display=text_of(found.get("displayName")) or job,
        data=found.get("data"),
        tries=_whole(found.get("maxTries"), MAX_TRIES),
        max_exceptions=_whole(found.get("maxExceptions"), MAX_TRIES),
        fail_on_timeout=True if found.get("failOnTimeout") is True else None,
        backoff=_backoff(found.get("backoff")),
        timeout=_whole(found.get("timeout"), MAX_TIMEOUT),
        retry_until=number_of(found.get("retryUntil")),
        created_at=number_of(found.get("createdAt")),
        watch=_watch(found.get("watch")),
        more=_mapping(found.get("more")),
    )


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


STRICT = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
"""Reads JSON and nothing more: every number is one. Made once; `json.loads` with such wishes makes one at each call."""


def text_of(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable() else None


def number_of(value: Any) -> float | None:
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12 else None
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _watch(value: Any) -> str:
    return value if isinstance(value, str) and _WATCH.fullmatch(value) else ""


def _whole(value: Any, most: int) -> int | None:
    """A setting: nonsense counts as not set, excess is capped."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return min(value, most)


def _backoff(value: Any) -> tuple[int, ...] | None:
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    steps = [_whole(int(part) if _is_digits(part) else part, MAX_BACKOFF) for part in parts]
    return tuple(step for step in steps if step is not None) if steps and None not in steps else None


def _is_digits(value: Any) -> bool:
    return isinstance(value, str) and value.strip().isascii() and value.strip().isdigit()
