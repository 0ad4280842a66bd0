"""Durations and moments, as they are typed and as they are shown."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from queuectl.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.IGNORECASE)
_DURATION = re.compile(rf"(?:{_STEP.pattern}\s*)+", re.IGNORECASE)
_LONGEST = 100 * 365 * 86_400.0


def seconds(words: str, option: str = "duration") -> float:
    """`90`, `1.5`, `10m`, `1h30m`, `500ms`, `7d` in seconds; `UsageError` for anything else."""
    text = words.strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        found = float(text)
    elif _DURATION.fullmatch(text):
        found = sum(float(number) * _UNITS[unit.lower()] for number, unit in _STEP.findall(text))
    else:
        raise UsageError(f"{option}: {words!r} is not a duration. Seconds, or words such as 10m, 2h or 1h30m.")
    if found > _LONGEST:
        raise UsageError(f"{option}: {words!r} is more than a hundred years.")
    return found


def from_hours(hours: float) -> float:
    """Seconds; `UsageError` for what is no span, such as nan."""
    if not 0 <= hours * _UNITS["h"] <= _LONGEST:
        raise UsageError(f"--hours: {hours:g} is no number of hours between 0 and a hundred years.")
    return hours * _UNITS["h"]


def moment(words: str, now: float, option: str) -> float:
    """A duration ago (`2h`), or a date (`2026-01-31`, `2026-01-31T12:00`), as seconds since the epoch."""
    try:
        return datetime.fromisoformat(words).astimezone().timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return now - seconds(words, option)
    except UsageError:
        raise UsageError(
            f"{option}: {words!r} is neither a time ago nor a date. Words such as 10m, 2h or 1h30m, or 2026-01-31."
        ) from None


def iso(at: float) -> str:
    """ISO 8601 in UTC, for JSON."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(at: float) -> str:
    """The reader's own wall clock."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def runtime(duration: float) -> str:
    """How long something ran: `12.34ms` up to a second, then `1s`, `2m 3s`."""
    if duration <= 1:
        return f"{duration * 1000:,.2f}ms"
    rest = math.floor(duration)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return " ".join(parts)


def ago(duration: float) -> str:
    """How long ago something was: `3 minutes ago`."""
    for unit, size in (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        amount = int(max(duration, 0) // size)
        if amount:
            return f"{amount} {unit}{'' if amount == 1 else 's'} ago"
    return "0 seconds ago"
