"""Durations and moments, as they are typed and as they are shown."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise

from queuectl.durations import LONGEST, UNITS
from queuectl.durations import seconds as seconds  # whoever shows times also reads them
from queuectl.errors import UsageError

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def from_hours(hours: float) -> float:
    """Seconds; `UsageError` for what is no span, such as nan."""
    if not 0 <= hours * UNITS["h"] <= LONGEST:
        raise UsageError(f"--hours: {hours:g} is no number of hours between 0 and a hundred years.")
    return hours * UNITS["h"]


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


def short(at: float) -> str:
    """The same without its year, where there is little room."""
    return datetime.fromtimestamp(at).astimezone().strftime("%m-%d %H:%M:%S")


def runtime(duration: float) -> str:
    """How long something ran: `12.34ms` up to a second, then `1s`, `2m 3s`."""
    if duration <= 1:
        return f"{duration * 1000:,.2f}ms"
    rest = math.floor(duration)
    parts = []
    for unit, size in _UNITS:
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return " ".join(parts)


def brief(duration: float) -> str:
    """A duration in its two largest units, the second only where it says something: `12s`, `4m 5s`, `2h`, `3d 4h`."""
    rest = math.floor(max(duration, 0))
    for (unit, size), (smaller, part) in pairwise(_UNITS):
        if rest >= size:
            least = rest % size // part
            return f"{rest // size}{unit} {least}{smaller}" if least else f"{rest // size}{unit}"
    return f"{rest}s"


def coarse(duration: float) -> str:
    """A duration in its largest unit: `12s`, `4m`, `2h`."""
    return brief(duration).partition(" ")[0]


def ago(duration: float) -> str:
    """How long ago something was: `3 minutes ago`."""
    for unit, size in (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        amount = int(max(duration, 0) // size)
        if amount:
            return f"{amount} {unit}{'' if amount == 1 else 's'} ago"
    return "0 seconds ago"
