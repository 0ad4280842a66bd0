"""How commands wait: in looks that grow no burden, until a time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from queuectl.commands.times import seconds
from queuectl.errors import UsageError

T = TypeVar("T")
SHORTEST, LONGEST = 0.1, 5.0
SHARE = 20.0
"""Looks take a twentieth of the time at most: to count a million jobs is no small thing to ask."""


class Patience:
    """Looks again and again. Its clock starts when it is made."""

    def __init__(self, timeout: float | None = None) -> None:
        """*timeout*: seconds after which `looks` end; None: never."""
        self._started = time.monotonic()
        self._timeout = timeout

    @property
    def waited(self) -> float:
        return time.monotonic() - self._started

    @property
    def left(self) -> float:
        """Seconds; infinite without a time limit."""
        return float("inf") if self._timeout is None else max(self._timeout - self.waited, 0.0)

    def looks(self, look: Callable[[], T]) -> Iterator[T]:
        """What *look* sees, with a pause after each; ends when the time is up, with a last look at that moment."""
        while True:
            began = time.monotonic()
            yield look()
            took = time.monotonic() - began
            if not self.left:
                return
            time.sleep(min(max(SHORTEST, SHARE * took), LONGEST, self.left))


def timeout_of(words: str, option: str = "--timeout") -> float | None:
    """The seconds that these words mean, None (no end) if there are none; `UsageError` for no time at all."""
    if not words:
        return None
    found = seconds(words, option)
    if not found:
        raise UsageError(f"{option}: no time is none. Leave it out where there is to be no end.")
    return found
