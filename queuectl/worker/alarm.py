"""A job's own time limit: `JobTimeout` raised in the child's main thread, and only inside user code."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from queuectl.errors import JobTimeout


class Alarm:
    """SIGALRM armed around user code. Install once, in the main thread; use as `with alarm(seconds):`."""

    def __init__(self) -> None:
        self._armed = False

    def install(self) -> None:
        signal.signal(signal.SIGALRM, self._ring)

    @contextmanager
    def __call__(self, seconds: float) -> Iterator[None]:
        """Raise `JobTimeout` in the block after *seconds*; 0 never does."""
        if seconds <= 0:
            yield
            return
        self.install()  # again each time: the job before may have taken the signal for itself
        self._armed = True
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            # Disarm by the flag first: an alarm already on its way must find nothing to interrupt but this line.
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, signum: int, frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            raise JobTimeout
