"""What the answers' times come to, and what must hold."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from latency.audit import Audit
from latency.modes import Mode
from latency.traffic import ENDPOINTS, Answer

LIMIT = 200.0
"""Milliseconds within which a queued request is answered."""
FACTOR = 5.0
"""How many times longer the synchronous way takes at least."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Figures:
        times = sorted(answer.seconds * 1000 for answer in answers)
        percentiles = statistics.quantiles(times, n=100, method="inclusive")
        return cls(percentiles[49], percentiles[94], percentiles[98], times[-1])


@dataclass(frozen=True, slots=True)
class Result:
    """One phase of a run."""

    mode: Mode
    answers: Sequence[Answer]
    audit: Audit

    @property
    def figures(self) -> Figures:
        return Figures.of(self.answers)

    def by_endpoint(self) -> dict[str, Figures]:
        return {
            endpoint: Figures.of([answer for answer in self.answers if answer.endpoint == endpoint])
            for endpoint in ENDPOINTS
        }


@dataclass(frozen=True, slots=True)
class Bound:
    """Something that must hold."""

    says: str
    holds: bool


def baseline(results: Sequence[Result]) -> Result | None:
    """The synchronous phase, if there was one."""
    return next((result for result in results if not result.mode.is_queued), None)


def bounds(results: Sequence[Result]) -> list[Bound]:
    """What was promised of how long answers take."""
    before = baseline(results)
    return [bound for result in results if result.mode.is_queued for bound in _of_queued(result, before)]


def _of_queued(result: Result, before: Result | None) -> Iterator[Bound]:
    title, figures = result.mode.title, result.figures
    yield Bound(f"{title}: p95 is {figures.p95:.0f} ms, below {LIMIT:.0f} ms", figures.p95 < LIMIT)
    if before is not None:
        ratio = before.figures.p95 / figures.p95
        yield Bound(f"{title}: p95 is {ratio:.1f} times below sync, at least {FACTOR:.0f} times", ratio >= FACTOR)
    if result.mode.is_outage:
        yield Bound(f"{title}: slowest answer {figures.max:.0f} ms, below {LIMIT:.0f} ms", figures.max < LIMIT)
