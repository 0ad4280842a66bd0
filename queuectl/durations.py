"""Durations as people type them."""

from __future__ import annotations

import re

from queuectl.errors import UsageError

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
LONGEST = 100 * 365 * 86_400.0
_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.IGNORECASE)
_DURATION = re.compile(rf"(?:{_STEP.pattern}\s*)+", re.IGNORECASE)


def seconds(words: str, option: str = "duration") -> float:
    """`90`, `1.5`, `10m`, `1h30m`, `500ms`, `7d` in seconds; `UsageError` for anything else."""
    text = words.strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        found = float(text)
    elif _DURATION.fullmatch(text):
        found = sum(float(number) * UNITS[unit.lower()] for number, unit in _STEP.findall(text))
    else:
        raise UsageError(f"{option}: {words!r} is not a duration. Seconds, or words such as 10m, 2h or 1h30m.")
    if found > LONGEST:
        raise UsageError(f"{option}: {words!r} is more than a hundred years.")
    return found
