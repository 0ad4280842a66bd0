"""So many in so long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from queuectl.errors import ConfigurationError, UsageError
from queuectl.jobs.definition import Job
from queuectl.jobs.limits import Rate
from queuectl.jobs.runtime import Shared, current
from queuectl.jobs.settings import span
from queuectl.middleware.keys import key_of, put_off, shared_by


@dataclass(frozen=True)
class RateLimited:
    """At most so many jobs in so long, of all that name this limit, on all workers of the connection together.

    How many is said once for all, in `[limits]` of `conf/queue.toml` (`emails = "100/m"`), or here, as *allow* jobs
    *per* so many seconds. One too many comes back when there is room again, which is no attempt.
    """

    name: str
    allow: int | None = None
    per: float | timedelta = 60.0

    def __post_init__(self) -> None:
        if self.allow is not None and self.allow < 1:
            raise UsageError(f"RateLimited({self.name!r}): `allow` is a number of jobs, at least 1.")

    def __call__(self, job: Job, go_on: Callable[[], Any]) -> Any:
        rate = self._rate()
        wait = _wait(shared_by(job, "RateLimited"), key_of("rate", self.name), rate, current().now())
        if wait:
            put_off(job, wait, f"the limit {self.name!r} lets {rate.allow} of them begin in {rate.per:g} s")
            return None
        return go_on()

    def _rate(self) -> Rate:
        if self.allow is not None:
            return Rate(self.allow, span(self.per))
        limits = current().limits
        if self.name not in limits:
            known = ", ".join(sorted(limits)) or "none"
            raise ConfigurationError(
                f"There is no limit {self.name!r}; known: {known}.",
                hint=f'Set it in [limits] of conf/queue.toml: {self.name} = "100/m".',
            )
        return limits[self.name]


def _wait(shared: Shared, key: str, rate: Rate, now: float) -> float:
    """Take a place and return 0.0; or the seconds until there may be one, if there is none.

    A window that slides: of the jobs of the period before, as many count as lie within the last whole period if they
    were spread evenly. Whoever is one too many takes its count back, so that crowds do not keep each other out.
    """
    period, into = divmod(now, rate.per)
    here, before = f"{key}:{period:.0f}", f"{key}:{period - 1:.0f}"
    earlier = shared.used(before) * (1 - into / rate.per)
    taken = shared.use(here, 1, ttl=2 * rate.per)
    if taken + earlier <= rate.allow:
        return 0.0
    shared.use(here, -1, ttl=2 * rate.per)
    return _until_room(rate, into, taken - 1, shared.used(before))


def _until_room(rate: Rate, into: float, taken: int, earlier: int) -> float:
    """When enough of the period before will have slid out; at the latest, and where this one is full, the next one."""
    left = rate.per - into
    if taken >= rate.allow or not earlier:
        return left + rate.per / rate.allow
    room_at = rate.per * (1 - (rate.allow - taken - 1) / earlier)
    return min(max(room_at - into, rate.per / rate.allow / 10), left)
