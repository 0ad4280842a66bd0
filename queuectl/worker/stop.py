"""Why a worker stops, and with which exit code."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from time import monotonic


class StopReason(Enum):
    """Artisan's reasons and ours, each with its exit code. A stop that nobody planned is never 0."""

    INTERRUPTED = ("interrupted", 0)
    RESTART_SIGNAL = ("restart_signal", 0)
    RELOADED = ("reloaded", 0)
    EMPTY = ("empty", 0)
    EMPTY_FOR = ("empty_for", 0)
    MAX_TIME = ("max_time", 0)
    MAX_JOBS = ("max_jobs", 0)
    MEMORY = ("memory", 12)
    UNSETTLED = ("unsettled", 1)  # stopped while the store would not take the last outcomes
    CRASHING = ("crashing", 1)  # children die before they can say hello
    LOST_CONNECTION = ("lost_connection", 69)
    BROKEN = ("broken", 78)  # the application's jobs cannot be imported
    ABORTED = ("aborted", 130)

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def exit_code(self) -> int:
        return self.value[1]


_BY_OPERATOR = (StopReason.INTERRUPTED, StopReason.ABORTED)


@dataclass(frozen=True, slots=True)
class Stop:
    """A reason to stop, with what an operator should read about it."""

    reason: StopReason
    text: str = ""

    @property
    def exit_code(self) -> int:
        return self.reason.exit_code


class Stopping:
    """Whether the worker is to stop, why, and how long running jobs may still take."""

    def __init__(self, grace: float | None) -> None:
        self._grace = grace
        self._interrupts = 0
        self.wanted: Stop | None = None
        self.by = math.inf
        """Monotonic time at which running jobs are interrupted."""

    def want(self, reason: StopReason, text: str = "") -> None:
        """Take no new job, finish the running ones (within the grace), then stop.

        The first reason stands; only what an operator asks for replaces it: a reload never undoes a TERM.
        """
        if self.wanted is None or (reason in _BY_OPERATOR and self.wanted.reason is not StopReason.ABORTED):
            self.wanted = Stop(reason, text)
        if self._grace is not None:
            self.by = min(self.by, monotonic() + self._grace)

    def interrupt(self) -> None:
        """The first Ctrl-C finishes the running jobs; a second one gives them back and leaves."""
        self._interrupts += 1
        self.want(StopReason.INTERRUPTED if self._interrupts == 1 else StopReason.ABORTED)
        if self._interrupts > 1:
            self.by = monotonic()
