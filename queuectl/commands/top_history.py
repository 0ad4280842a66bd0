"""What `top` remembers of its looks: how full queues were, and how fast jobs were done."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Set
from typing import TypeVar

from queuectl.commands.seen import Key
from queuectl.commands.top_look import Look

STEP = 2.0
"""Seconds that one bar of a sparkline stands for."""
BARS = 120
WINDOW = 15.0
"""Seconds that a rate is taken over: workers write their counters every five."""
SHORTEST = 1.0

V = TypeVar("V")


class Meter:
    """A counter that is read now and then."""

    def __init__(self) -> None:
        self._read: deque[tuple[float, int]] = deque()

    def read(self, at: float, value: int) -> None:
        self._read.append((at, value))
        while len(self._read) > 2 and self._read[1][0] <= at - WINDOW:
            self._read.popleft()

    @property
    def rate(self) -> float | None:
        """Growth a second; None before it was read twice. A counter that was set back has not grown."""
        if not self._read:
            return None
        (first_at, first), (last_at, last) = self._read[0], self._read[-1]
        if last_at - first_at < SHORTEST:
            return None
        return max(last - first, 0) / (last_at - first_at)


class History:
    """Numbers by queue, as far back as a screen is wide."""

    def __init__(self) -> None:
        self._waiting: dict[Key, deque[float]] = {}
        self._done: dict[Key, Meter] = {}
        self._totals: defaultdict[str, Meter] = defaultdict(Meter)
        self._throughput: deque[float] = deque(maxlen=BARS)
        self._next = 0.0

    def add(self, look: Look) -> None:
        """Take a look in. Queues that it does not know of are forgotten."""
        self._keep({queue.key for queue in look.queues})
        for queue in look.queues:
            self._done.setdefault(queue.key, Meter()).read(look.at, look.counted("done", queue.key))
        for outcome in ("done", "failed"):
            self._totals[outcome].read(look.at, look.counted(outcome))
        if look.at >= self._next:
            self._next = look.at + STEP
            self._add_bars(look)

    def _add_bars(self, look: Look) -> None:
        for queue in look.queues:
            self._waiting.setdefault(queue.key, deque(maxlen=BARS)).append(float(queue.counts.pending))
        self._throughput.append(self.total("done") or 0.0)

    def _keep(self, wanted: Set[Key]) -> None:
        self._waiting = _only(self._waiting, wanted)
        self._done = _only(self._done, wanted)

    def waiting(self, key: Key) -> list[float]:
        """How many jobs waited, one number a step."""
        return list(self._waiting.get(key, ()))

    @property
    def throughput(self) -> list[float]:
        """Jobs done a second, one number a step."""
        return list(self._throughput)

    def rate(self, key: Key) -> float | None:
        """Jobs of this queue done a second."""
        return self._done[key].rate if key in self._done else None

    def total(self, outcome: str) -> float | None:
        """Jobs of all queues that ended so, a second."""
        return self._totals[outcome].rate


def _only(found: Mapping[Key, V], wanted: Set[Key]) -> dict[Key, V]:
    return {key: value for key, value in found.items() if key in wanted}
