"""A job's own time limit: `JobTimeout` raised in the child's main thread, and only inside user code."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from queuectl.errors import JobTimeout

_set_handler: Callable[[int, Any], Any] = getattr(signal.signal, "__wrapped__", signal.signal)
"""Without the search for an enumeration's member, which takes longer than everything else that an alarm does."""


class Alarm:
    """SIGALRM armed around user code. Install once, in the main thread; use as `with alarm(seconds):`."""

    def __init__(self) -> None:
        self._armed = False
        self._seconds = 0.0

    def install(self) -> None:
        _set_handler(signal.SIGALRM, self._ring)

    def __call__(self, seconds: float) -> Alarm:
        """Raise `JobTimeout` in the block after *seconds*; 0 never does, but the parent may, by the same signal."""
        self._seconds = seconds
        return self

    def __enter__(self) -> None:
        self.install()  # again each time: the job before may have taken the signal for itself
        self._armed = True
        if self._seconds > 0:
            signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Disarm by the flag first: an alarm already on its way must find nothing to interrupt but this line.
        self._armed = False
        if self._seconds > 0:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, signum: int, frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            raise JobTimeout
