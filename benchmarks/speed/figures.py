"""What was measured: samples under a name, and their medians."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

UNITS = {
    "/s": "{:,.0f} /s",
    "ms": "{:,.2f} ms",
    "s": "{:,.3f} s",
    "MiB": "{:,.1f} MiB",
    "dB": "{:.1f} dB",
    "%": "{:.2f} %",
}


@dataclass(frozen=True, slots=True)
class Key:
    """What was measured, on which store, of whom."""

    measure: str
    store: str
    who: str


@dataclass(slots=True)
class Figure:
    """The samples of one key."""

    unit: str
    samples: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def spread(self) -> str:
        """From the lowest to the highest sample."""
        return f"{shown(min(self.samples), '')} … {shown(max(self.samples), '')}" if len(self.samples) > 1 else ""


@dataclass(slots=True)
class Figures:
    """All that a run has found."""

    found: dict[Key, Figure] = field(default_factory=dict)
    missing: dict[Key, str] = field(default_factory=dict)
    """Who could not be measured, and why."""
    kept: dict[Key, str] = field(default_factory=dict)
    """Whether a job of theirs survives the death of its worker."""

    def add(self, measure: str, store: str, who: str, value: float, unit: str) -> None:
        self.found.setdefault(Key(measure, store, who), Figure(unit)).samples.append(value)

    def median(self, measure: str, store: str, who: str) -> float | None:
        figure = self.found.get(Key(measure, store, who))
        return figure.median if figure else None

    def of(self, measure: str) -> dict[Key, Figure]:
        return {key: figure for key, figure in self.found.items() if key.measure == measure}

    def measures(self) -> list[str]:
        return list(dict.fromkeys(key.measure for key in self.found))


def shown(value: float, unit: str) -> str:
    """A value as a person reads it; seconds and milliseconds with what digits they need."""
    return UNITS.get(unit, "{:,.4g}").format(value)


def percentile(values: Sequence[float], percent: int) -> float:
    """With no more values than that, the highest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]
