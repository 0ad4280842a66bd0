"""One at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from queuectl.jobs.definition import Job, registered_name
from queuectl.jobs.running import state_of
from queuectl.jobs.settings import span
from queuectl.middleware.keys import key_of, put_off, shared_by

SPARE = 60.0
"""Seconds that a lock outlives the job's time limit, after which it would have been killed."""
WITHOUT_LIMIT = 3600.0
"""Seconds that a lock lives where there is no time limit."""


@dataclass(frozen=True)
class WithoutOverlapping:
    """Never two jobs of this class and *key* at once, on any worker of the connection.

    One that finds another at work comes back after *release_after* seconds, which is no attempt; with None it is
    dropped, as done. The lock is given back when the job ends. Should its process die, the job's own next attempt
    takes it over, and it is free for others after *expires* seconds: by default a minute after the job's timeout.
    *across* jobs of other classes too, where they name the same key.
    """

    key: str = ""
    release_after: float | timedelta | None = 5.0
    expires: float | timedelta | None = None
    across: bool = False

    def __call__(self, job: Job, go_on: Callable[[], Any]) -> Any:
        locks, name = shared_by(job, "WithoutOverlapping"), key_of("overlap", self.key, None if self.across else job)
        owner = job.uuid
        if not locks.acquire(name, owner, self._lifetime(job)) and (holder := locks.holder(name)) != owner:
            if self.release_after is not None:
                put_off(job, span(self.release_after), self._why(job), holder=holder or "")
            return None
        try:
            return go_on()
        finally:
            locks.release(name, owner)

    def _why(self, job: Job) -> str:
        whose = "of any class" if self.across else registered_name(type(job))
        return f"another job ({whose}, key {self.key!r}) was at work, and these never overlap"

    def _lifetime(self, job: Job) -> float:
        if self.expires is not None:
            return span(self.expires)
        timeout = state_of(job, "WithoutOverlapping").timeout
        return timeout + SPARE if timeout else WITHOUT_LIMIT
