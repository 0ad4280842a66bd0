"""How carefully failed jobs are to be retried, and how it stands with them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many may fail again: a number of them, or a share of those that have ended."""

    count: int = 0
    share: float = 0.0

    def is_exceeded(self, failed: int, ended: int) -> bool:
        return failed > self.count and failed > self.share * ended


@dataclass(frozen=True, slots=True)
class Care:
    """How carefully to retry."""

    canaries: int = 0
    """So many are retried first; the others follow only if these end well."""
    rate: float | None = None
    """Jobs a second, canaries aside."""
    tolerance: Tolerance | None = None
    """When to stop; without one no canary may fail, and nobody watches the others."""
    wait: bool = False
    """Until the last one has ended."""
    timeout: float | None = None

    @property
    def is_taken(self) -> bool:
        return self != Care()

    @property
    def watches(self) -> bool:
        """Not only the canaries."""
        return self.wait or self.tolerance is not None


class Stop(Enum):
    """Why it went no further."""

    CANARY = "canary"
    FAILURES = "failures"
    TIMEOUT = "timeout"


@dataclass(slots=True)
class Standing:
    """How it stands."""

    canaries: int = 0
    retried: int = 0
    overtaken: int = 0
    """Gone before they could be retried."""
    done: int = 0
    failed: int = 0
    """Failed for good once more."""
    lost: int = 0
    """Nobody knows how they ended."""
    open: int = 0
    """Watched, and not ended yet."""

    @property
    def ended(self) -> int:
        return self.done + self.bad

    @property
    def bad(self) -> int:
        """What is not known to be done counts as failed: whoever is careful doubts."""
        return self.failed + self.lost
