"""What a payload says of being the only one of its kind, or the last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from queuectl.jobs.envelope import number_of
from queuectl.jobs.outcome import Unique

_KEY = re.compile(r"job:[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Lock:
    """A unique key, and when it is free again."""

    unique: Unique
    until_processing: bool
    """As soon as the job begins; otherwise once it has ended."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A place among the jobs of which the last one wins."""

    key: str
    at: float
    """When it was dispatched."""


def to_more(lock: Lock | None, turn: Turn | None) -> dict[str, Any]:
    """What an envelope has of it."""
    found: dict[str, Any] = {}
    if lock is not None:
        found["unique"] = {"key": lock.unique.key, "for": lock.unique.ttl, "processing": lock.until_processing}
    if turn is not None:
        found["debounce"] = {"key": turn.key, "at": turn.at}
    return found


def lock_in(more: Mapping[str, Any]) -> Lock | None:
    """What an envelope says of a key; None where it says nothing that we could have written."""
    found = _under("unique", more)
    ttl = number_of(found.get("for"))
    return None if ttl is None else Lock(Unique(found["key"], ttl), found.get("processing") is True)


def turn_in(more: Mapping[str, Any]) -> Turn | None:
    """What it says of a place among others."""
    found = _under("debounce", more)
    at = number_of(found.get("at"))
    return None if at is None else Turn(found["key"], at)


def _under(name: str, more: Mapping[str, Any]) -> Mapping[str, Any]:
    found = more.get(name)
    if isinstance(found, dict) and isinstance(found.get("key"), str) and _KEY.fullmatch(found["key"]):
        return found
    return {}
