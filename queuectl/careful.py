"""Retrying with care: a few first, the others at a rate, and no further when they fail again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from math import floor, inf
from typing import Protocol

from queuectl.awaiting import Awaited, Ended
from queuectl.care import Care, Standing, Stop, Tolerance
from queuectl.clock import Clock
from queuectl.drivers.contract import Driver
from queuectl.failing import Located

PORTION = 500
"""Jobs that are moved in one step."""
WINDOW = 500
"""Watched jobs that are on their way at once at most: those that cannot be stopped any more."""
AMONG = 1_000
"""Failed jobs among which canaries are chosen."""
ENOUGH = 20
"""Ends before which a share says nothing: it is taken of so many at least."""
TICK = 0.1


class Listener(Protocol):
    """Hears how it goes."""

    def moved(self, uuids: Sequence[str]) -> None:
        """These are on their queues again, and nobody watches them."""

    def ended(self, ended: Ended) -> None: ...

    def passed(self, canaries: int) -> None:
        """The canaries have ended well."""

    def looked(self, standing: Standing) -> None: ...


class CarefulRetry:
    """One careful retry. Build it, `run` it once."""

    def __init__(
        self,
        retry: Callable[[Sequence[Located], str | None], list[str]],
        destination: Callable[[Located], Driver],
        awaited: Awaited,
        care: Care,
        *,
        listener: Listener,
        clock: Clock,
    ) -> None:
        """*retry* moves a batch, under the name to wait under if it is watched, and gives the uuids that moved;
        *destination* tells where it moves one to."""
        self._retry, self._destination, self._awaited = retry, destination, awaited
        self._care, self._listener, self._clock = care, listener, clock
        self._deadline = inf if care.timeout is None else clock.now() + care.timeout
        self.standing = Standing()
        self.stop: Stop | None = None

    def run(self, jobs: Iterable[Located]) -> Stop | None:
        """Retry these; why it went no further, or None. What has been retried by then stays so."""
        others = self._send_canaries(iter(jobs)) if self._care.canaries else iter(jobs)
        if self.stop is None:
            self._send_others(others)
        if self.stop is None and self._care.wait:
            self._see_through()
        return self.stop

    # Canaries

    def _send_canaries(self, jobs: Iterator[Located]) -> Iterator[Located]:
        """Retry a few and watch them to their end; the others, untouched."""
        first = list(islice(jobs, AMONG))
        chosen = spread(first, self._care.canaries)
        if chosen:
            self._send(chosen, watched=True)
            self.standing.canaries = self.standing.retried
            self._watch_canaries()
        keys = {(located.store, located.job.uuid) for located in chosen}
        return chain((one for one in first if (one.store, one.job.uuid) not in keys), jobs)

    def _watch_canaries(self) -> None:
        tolerance = self._care.tolerance or Tolerance()
        while True:
            self._look()
            if tolerance.is_exceeded(self.standing.bad, self.standing.canaries):
                self.stop = Stop.CANARY
                return
            if not self._awaited.open:
                self._listener.passed(self.standing.canaries)
                return
            if self._is_late:
                self.stop = Stop.TIMEOUT
                return
            self._wait(TICK)

    # The others

    def _send_others(self, jobs: Iterator[Located]) -> None:
        pace = Pace(self._care.rate, self._clock)
        while True:
            room = self._make_room(pace)
            portion = list(islice(jobs, room)) if self.stop is None else []
            if not portion:
                return
            self._send(portion, watched=self._care.watches)
            pace.took(len(portion))

    def _make_room(self, pace: Pace) -> int:
        """How many may be sent now; waits until that is one at least, or there is a reason to stop."""
        while True:
            self._look()
            self._judge()
            room = min(PORTION, pace.due, self._window - self._awaited.open)
            if room > 0 or self.stop is not None:
                return room
            self._wait(max(TICK, pace.next_in) if not self._awaited.open else TICK)

    @property
    def _window(self) -> int:
        """As many may be on their way as have ended, where they may turn out to fail: few at first."""
        return WINDOW if self._care.tolerance is None else min(max(self.standing.ended, ENOUGH), WINDOW)

    def _judge(self) -> None:
        standing, tolerance = self.standing, self._care.tolerance
        if tolerance is not None and tolerance.is_exceeded(standing.bad, max(standing.ended, ENOUGH)):
            self.stop = Stop.FAILURES
        elif self._is_late:
            self.stop = Stop.TIMEOUT

    def _see_through(self) -> None:
        """There is nothing left to stop: how it went is told at the end."""
        self._look()
        while self._awaited.open and not self._is_late:
            self._wait(TICK)
            self._look()
        tolerance = self._care.tolerance
        if self._awaited.open:
            self.stop = Stop.TIMEOUT
        elif tolerance is not None and tolerance.is_exceeded(self.standing.bad, self.standing.ended):
            self.stop = Stop.FAILURES

    # Each step

    def _send(self, batch: Sequence[Located], *, watched: bool) -> None:
        moved = self._retry(batch, self._awaited.watch if watched else None)
        self.standing.retried += len(moved)
        self.standing.overtaken += len(batch) - len(moved)
        if not watched:
            self._listener.moved(moved)
            return
        places = {located.job.uuid: self._destination(located) for located in batch}
        for uuid in moved:
            self._awaited.expect(places[uuid], [uuid])

    def _look(self) -> None:
        for ended in self._awaited.look() if self._awaited.open else ():
            self._count(ended)
            self._listener.ended(ended)
        self.standing.open = self._awaited.open
        self._listener.looked(self.standing)

    def _count(self, ended: Ended) -> None:
        if ended.end is None:
            self.standing.lost += 1
        elif ended.end.done:
            self.standing.done += 1
        else:
            self.standing.failed += 1

    @property
    def _is_late(self) -> bool:
        return self._clock.now() >= self._deadline

    def _wait(self, seconds: float) -> None:
        self._clock.sleep(min(seconds, 1.0, max(self._deadline - self._clock.now(), 0.0)))


class Pace:
    """How many may go, at so many a second. Those that could not go in time do not all go at once later."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._rate, self._clock = rate, clock
        self._credit, self._at = 1.0, clock.now()

    @property
    def due(self) -> int:
        if self._rate is None:
            return PORTION
        now = self._clock.now()
        self._credit = min(self._credit + (now - self._at) * self._rate, max(self._rate, 1.0))
        self._at = now
        return floor(self._credit + 1e-9)

    @property
    def next_in(self) -> float:
        """Seconds until the next one is due."""
        return 0.0 if self._rate is None else max(1.0 - self._credit, 0.0) / self._rate

    def took(self, count: int) -> None:
        self._credit -= count


def spread(jobs: Sequence[Located], count: int) -> list[Located]:
    """So many of these, of as many kinds of failures as there are."""
    kinds: dict[str, deque[Located]] = {}
    for located in jobs:
        kinds.setdefault(located.job.fingerprint, deque()).append(located)
    chosen: list[Located] = []
    while kinds and len(chosen) < count:
        for kind in list(kinds)[: count - len(chosen)]:
            chosen.append(kinds[kind].popleft())
            if not kinds[kind]:
                del kinds[kind]
    return chosen
