"""What to do about jobs that raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from queuectl.jobs.definition import Job
from queuectl.jobs.runtime import current
from queuectl.jobs.settings import span
from queuectl.middleware.keys import key_of, put_off, shared_by

Which = type[BaseException] | tuple[type[BaseException], ...]


@dataclass(frozen=True)
class ThrottlesExceptions:
    """After so many exceptions, leave a service that is down alone: no job is begun until *within* seconds are over.

    Counted are exceptions of the kinds *of*, on all workers of the connection together, by *key*: by default those of
    the job's class. A job that would begin meanwhile comes back afterwards, which is no attempt. One that ends well
    starts the count again. The exception itself goes on: it is an attempt, with its backoff.
    """

    after: int = 10
    within: float | timedelta = 600.0
    key: str | None = None
    of: Which = Exception

    def __call__(self, job: Job, go_on: Callable[[], Any]) -> Any:
        shared = shared_by(job, "ThrottlesExceptions")
        name = key_of("throttle", self.key or "", job if self.key is None else None)
        if wait := _left(shared.holder(name)):
            put_off(job, wait, f"{self.after} exceptions in a row: what it needs is left alone for a while")
            return None
        try:
            returned = go_on()
        except self.of:
            seconds = span(self.within)
            if shared.use(name, 1, ttl=seconds) >= self.after:
                shared.acquire(name, repr(current().now() + seconds), seconds)
            raise
        shared.reset(name)
        return returned


def _left(until: str | None) -> float:
    """Seconds until then; a lock that is still held has at least a moment."""
    return 0.0 if until is None else max(float(until) - current().now(), 1.0)


class FailOnException:
    """An exception of these kinds, or one for which a function says yes, is final: the job fails for good at once."""

    def __init__(self, *kinds: type[BaseException] | Callable[[BaseException], bool]) -> None:
        self._kinds = tuple(kind for kind in kinds if isinstance(kind, type))
        self._tests = tuple(kind for kind in kinds if not isinstance(kind, type))

    def __call__(self, job: Job, go_on: Callable[[], Any]) -> Any:
        try:
            return go_on()
        except Exception as error:
            if isinstance(error, self._kinds) or any(test(error) for test in self._tests):
                job.fail(error)
                return None
            raise
