"""The worker's patient line to its store: one note when it is lost, one when it is back, growing pauses between."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from queuectl.errors import DriverUnavailable, QueuectlError, StoreFull

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE, HURRIED_PAUSE = 0.1, 5.0, 0.5


class StoreLink:
    """Tries calls to the store; while it is down, calls fail at once until the next pause is over."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._lost_at: float | None = None
        self._pause, self._longest = FIRST_PAUSE, LONGEST_PAUSE
        self._retry_at = 0.0
        self._cannot_write = False
        self.outages = 0
        """How often the line has been lost."""

    @property
    def down(self) -> bool:
        return self._lost_at is not None

    @property
    def downtime(self) -> float:
        """Seconds since the line was lost; 0 while it stands."""
        return 0.0 if self._lost_at is None else monotonic() - self._lost_at

    @property
    def retry_in(self) -> float:
        """Seconds before another call makes sense; 0 while the line stands."""
        return max(self._retry_at - monotonic(), 0.0) if self.down else 0.0

    def attempt(self, call: Callable[[], T], *, wrote: Callable[[T], bool] = lambda _: True) -> T | None:
        """What *call* answers, or None while the store cannot be had. *call* itself must not answer None.

        A store that is locked, full or read-only still answers questions: such an outage ends only with an answer to a
        call that *wrote* something. Only outages are waited out; `ConfigurationError` and `DataRefused` are the
        caller's to see.
        """
        answer = self._try(call, writing=True)
        if answer is not None and self.down and wrote(answer):
            self._restored()
        return answer

    def ask(self, question: Callable[[], T]) -> T | None:
        """`attempt` for a call that only reads."""
        answer = self._try(question, writing=False)
        if answer is not None and self.down and not self._cannot_write:
            self._restored()
        return answer

    def hurry(self) -> None:
        """From now on make short pauses only: who is about to leave must not be waiting when the store comes back."""
        self._longest = HURRIED_PAUSE
        self._pause = min(self._pause, HURRIED_PAUSE)
        self._retry_at = min(self._retry_at, monotonic() + HURRIED_PAUSE)

    def do(self, call: Callable[[], object]) -> bool:
        """Whether *call* was done; like `attempt` for calls that answer nothing."""
        return self.attempt(lambda: (call(),)) is not None

    def _try(self, call: Callable[[], T], *, writing: bool) -> T | None:
        if self.retry_in > 0:
            return None
        try:
            return call()
        except (DriverUnavailable, StoreFull) as error:
            self._cannot_write |= writing
            self._lost(error)
            return None

    def _lost(self, error: QueuectlError) -> None:
        if self._lost_at is None:
            self._lost_at = monotonic()
            self.outages += 1
            self._note(f"{error} Running jobs go on, no new ones are taken; trying again.")
        self._retry_at = monotonic() + self._pause * random.uniform(0.5, 1.5)  # noqa: S311  # jitter, not a secret
        self._pause = min(self._pause * 2, self._longest)

    def _restored(self) -> None:
        self._note(f"The queue is there again after {self.downtime:.1f} s.")
        self._lost_at, self._pause, self._cannot_write = None, FIRST_PAUSE, False
