"""Running jobs: one attempt at a time, and the judgement of what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuectl.runner.attempt import Attempt
from queuectl.runner.judging import judge, record, refuse_late

if TYPE_CHECKING:
    from queuectl.runner.running import Runner, no_alarm

__all__ = ["Attempt", "Runner", "judge", "no_alarm", "record", "refuse_late"]


def __getattr__(name: str) -> Any:
    """What runs jobs, imported where jobs are run: a worker's parent only judges."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from queuectl.runner import running

    return getattr(running, name)
