"""How long a supervisor has to wait for the running jobs before it kills their worker."""

from __future__ import annotations

import math
from collections.abc import Mapping

from queuectl.errors import UsageError
from queuectl.jobs.limits import Settings

MARGIN = 15.0
"""Seconds: a worker whose last job has ended makes the outcome durable, calls `failed()`, and leaves."""


def time_limits(declared: Mapping[str, Settings], flag: int) -> dict[str, int]:
    """The time limit of each job by name, in seconds, as a worker with `--timeout` *flag* applies it; 0: none."""
    return {name: flag if settings.timeout is None else settings.timeout for name, settings in declared.items()}


def longest_stop(limits: Mapping[str, int], kill_after: float) -> int:
    """Seconds within which every worker has stopped; `UsageError` if a job may take for ever."""
    endless = sorted(name for name, limit in limits.items() if not limit)
    if endless:
        raise UsageError(
            f"No time limit: {', '.join(endless)}. A stop would have to wait for ever.",
            hint="Say how long it may: --stopwaitsecs or --grace. Or give these jobs a timeout.",
        )
    return bounded_stop(max(limits.values(), default=0), kill_after)


def bounded_stop(seconds: float, kill_after: float) -> int:
    """Seconds within which a worker has stopped whose jobs end, or are given back, after so long."""
    return math.ceil(seconds + kill_after + MARGIN)
