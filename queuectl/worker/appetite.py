"""How many jobs a worker asks for, and when: after an empty answer it waits, after a full one it asks on."""

from __future__ import annotations

from time import monotonic

from queuectl.worker.options import WorkerOptions


class Appetite:
    """Counts what was taken and remembers when there was nothing."""

    def __init__(self, options: WorkerOptions) -> None:
        self._limit, self._sleep, self._rest = options.job_limit, options.sleep, options.rest
        self._ask_at = self._rest_until = 0.0
        self.taken = 0
        self.last_job = monotonic()
        """When a job was taken last, or the start."""
        self.empty_since: float | None = None
        """Since when every question has found nothing; None before the first and after a job."""

    @property
    def sated(self) -> bool:
        """`--max-jobs` have been taken."""
        return 0 < self._limit <= self.taken

    @property
    def resting(self) -> float:
        """Seconds of `--rest` left."""
        return max(self._rest_until - monotonic(), 0.0)

    @property
    def asks_in(self) -> float:
        """Seconds before an empty-handed worker asks again."""
        return max(self._ask_at - monotonic(), 0.0)

    def room(self, free: int) -> int:
        """How many of *free* places may be filled now."""
        if self.resting or self.sated:
            return 0
        return max(min(free, self._limit - self.taken) if self._limit else free, 0)

    def fed(self, found: int, room: int) -> None:
        """A question for *room* jobs brought *found*."""
        now = monotonic()
        self.taken += found
        if found:
            self.last_job, self.empty_since = now, None
        elif room:
            self.starve()
        else:  # only outcomes went in, and each may have brought work: what was empty before need not be now
            self.empty_since, self._ask_at = None, 0.0
        if found < room:
            self._ask_at = now + self._sleep

    def starve(self) -> None:
        """There is nothing to take, or it must not be taken: a paused queue is as good as an empty one."""
        self.empty_since = self.empty_since or monotonic()

    def wake(self) -> None:
        """Something may have come: ask at the next opportunity."""
        self._ask_at = 0.0

    def job_ended(self) -> None:
        """`--rest` begins."""
        if self._rest:
            self._rest_until = monotonic() + self._rest
