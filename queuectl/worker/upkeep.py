"""What a worker does by the clock: renew leases, read marks, show signs of life, carry jobs between stores."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import ClassVar, Protocol

from queuectl.clock import Clock
from queuectl.drivers.contract import Driver
from queuectl.drivers.control import Beat, LastSeen, Marks
from queuectl.worker.docket import Docket
from queuectl.worker.link import StoreLink
from queuectl.worker.options import WorkerOptions

MARKS_EVERY, BEAT_EVERY, SEEN_EVERY, LONGEST_RENEWAL = 1.0, 5.0, 60.0, 20.0


class Carrier(Protocol):
    """Carries jobs between stores, some at each call; whether more is waiting."""

    every: ClassVar[float]
    """Seconds between two calls."""

    def __call__(self) -> object: ...


class Every:
    """A timer that is due again and again; due at once the first time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    @property
    def left(self) -> float:
        return max(self._next - monotonic(), 0.0)

    def due(self) -> bool:
        """Whether the time has come; if so, the next turn starts now."""
        if self.left > 0:
            return False
        self._next = monotonic() + self._seconds
        return True

    def now(self) -> None:
        """Be due at the next question."""
        self._next = 0.0


class Upkeep:
    """The worker's regular duties towards the store. Each is a call of its own, none is per job."""

    def __init__(
        self,
        driver: Driver,
        link: StoreLink,
        docket: Docket,
        options: WorkerOptions,
        clock: Clock,
        relays: Sequence[Carrier],
        has_joined: Callable[[int], bool],
    ) -> None:
        """*has_joined*: may this run have completed itself?"""
        self._driver, self._link, self._docket = driver, link, docket
        self._options, self._clock, self._has_joined = options, clock, has_joined
        self._relays = [(Every(relay.every), relay) for relay in relays]
        self._renewal = Every(min(driver.retry_after / 3, LONGEST_RENEWAL))
        self._marks_timer, self._beat_timer = Every(MARKS_EVERY), Every(BEAT_EVERY)
        self._seen_timer = Every(SEEN_EVERY)
        self._host = socket.gethostname()
        self._since = clock.now()
        self._first_restart: str | None = None
        self._read_once = False
        self.worker = f"{self._host}:{os.getpid()}:{os.urandom(4).hex()}"
        self.marks = Marks()
        self.restart_asked = False

    @property
    def left(self) -> float:
        """Seconds until something is due."""
        timers = (self._renewal, self._marks_timer, self._beat_timer, *(timer for timer, _ in self._relays))
        return min(timer.left for timer in timers)

    def tend(self) -> None:
        """Do what is due."""
        if self._link.down:
            self._renewal.now()  # running jobs are asserted again before anything else is asked of the store
            self._beat_timer.now()  # and an idle worker has nothing else to write: it would not see the outage end
            self._hurry_relays()
        if self._renewal.due():
            self._renew()
        if self._marks_timer.due():
            self._read_marks()
        if self._beat_timer.due():
            self._beat()
        self._relay()

    def leave(self) -> None:
        """Write down the last counts, carry the last jobs over, and take the sign of life away."""
        self._flush_counts()
        self._hurry_relays()
        self._relay()
        self._link.do(lambda: self._driver.control.leave(self.worker))
        self._be_seen(left=True)

    def _renew(self) -> None:
        held = self._docket.held()
        if not held:
            return
        lost = self._link.attempt(lambda: self._driver.renew([running.reserved for running in held]))
        tokens = {found.token for found in lost or ()}
        # An outcome on its way may have been applied already: its verdict tells, not the renewal.
        for key, running in self._docket.running.items():
            if running.reserved.token in tokens and not self._has_joined(key):
                self._docket.lose(running)

    def _read_marks(self) -> None:
        marks = self._link.ask(self._driver.control.marks)
        if marks is None:
            return
        if not self._read_once:
            self._first_restart, self._read_once = marks.restart, True
        self.restart_asked = marks.restart != self._first_restart
        if marks.paused.keys() != self.marks.paused.keys():
            self._beat_timer.now()  # whoever drains a queue waits to hear that no more is taken from it
        self.marks = marks

    def _beat(self) -> None:
        self._flush_counts()
        beat = self._make_beat()
        if self._link.do(lambda: self._driver.control.beat(beat)) and self._seen_timer.due():
            self._be_seen(left=False)

    def _be_seen(self, *, left: bool) -> None:
        last = LastSeen(self._options.name, self._host, self._clock.now(), left)
        self._link.do(lambda: self._driver.control.serve(self._options.queues, last))

    def _make_beat(self) -> Beat:
        now, running = self._clock.now(), self._docket.running.values()
        return Beat(
            worker=self.worker,
            name=self._options.name,
            host=self._host,
            pid=os.getpid(),
            queues=self._options.queues,
            since=self._since,
            at=now,
            children=self._options.workers,
            processed=self._docket.processed,
            running=tuple(
                {
                    "job": job.attempt.job,
                    "uuid": job.attempt.uuid,
                    "queue": job.attempt.queue,
                    "since": now - (monotonic() - job.started),
                }
                for job in running
            ),
            version=self._options.version,
            paused=tuple(queue for queue in self._options.queues if self.marks.is_paused(queue)),
        )

    def _flush_counts(self) -> None:
        counts = dict(self._docket.counts)
        if counts and self._link.do(lambda: self._driver.control.count(counts)):
            self._docket.counts.clear()

    def _relay(self) -> None:
        """Those that are due."""
        for timer, relay in self._relays:
            if self._link.down:
                return
            if timer.due():
                answer = self._link.attempt(partial(_answered, relay))
                if answer is not None and answer[0]:
                    timer.now()  # there is more: after the jobs that are waiting meanwhile

    def _hurry_relays(self) -> None:
        for timer, _ in self._relays:
            timer.now()


def _answered(call: Callable[[], object]) -> tuple[object]:
    """What *call* answers, as something that is never None."""
    return (call(),)
