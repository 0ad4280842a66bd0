"""Jobs that turn out not to be wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from queuectl.jobs.definition import Job

Condition = bool | Callable[[Any], bool]


@dataclass(frozen=True)
class Skip:
    """Not to run is as good as done. A condition is a truth, or a question to the job."""

    condition: Condition
    wanted: bool = True
    """What it must be for the job to be skipped."""

    @classmethod
    def when(cls, condition: Condition) -> Skip:
        return cls(condition)

    @classmethod
    def unless(cls, condition: Condition) -> Skip:
        return cls(condition, wanted=False)

    def __call__(self, job: Job, go_on: Callable[[], Any]) -> Any:
        found = self.condition(job) if callable(self.condition) else self.condition
        return None if bool(found) is self.wanted else go_on()
