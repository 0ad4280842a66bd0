"""A row of small bars: how a number went."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = "_.:-=+*#"
"""For terminals that do not speak UTF-8."""


def sparkline(values: Sequence[float], cells: int, *, bars: str = BARS) -> str:
    """The last *cells* values, oldest first, on the right. Nothing at all is a blank, the highest a full bar; where
    nothing changes, bars are of half the height."""
    shown = values[-cells:] if cells > 0 else ()
    top = max(shown, default=0.0) * (2 if len(set(shown)) == 1 else 1)
    return "".join(_bar(value, top, bars) for value in shown).rjust(cells)


def _bar(value: float, top: float, bars: str) -> str:
    return bars[min(int(value / top * len(bars)), len(bars) - 1)] if value > 0 else " "
