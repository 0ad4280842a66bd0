"""A bare client on one store: a table or a list of its own, and a loop."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from speed.producing import TEXT, WARM

PAYLOAD = f'{{"number": 12345, "text": "{TEXT}"}}'


class Limit(ABC):
    """Built with the URL of an empty place."""

    @abstractmethod
    def fill(self, count: int) -> None:
        """Put so many payloads there, in whatever way is quickest."""

    @abstractmethod
    def turn(self, done: Sequence[Any], at_once: int) -> Sequence[Any]:
        """In one round trip: remove what is done, reserve the next ones, and return what names them."""

    @abstractmethod
    def insert(self) -> None:
        """Accept one payload; durable as queuectl has it."""

    @abstractmethod
    def close(self) -> None: ...

    def turns(self, count: int, *, at_once: int) -> float:
        """Jobs a second."""
        self.fill(count)
        done = self.turn([], at_once)
        started, before = time.monotonic(), len(done)
        total = before
        while done:
            done = self.turn(done, at_once)
            total += len(done)
        return max(total - before, 1) / (time.monotonic() - started)

    def inserts(self, count: int) -> float:
        """Payloads a second."""
        for _ in range(WARM):
            self.insert()
        started = time.monotonic()
        for _ in range(count):
            self.insert()
        return count / (time.monotonic() - started)
