"""What tells an idle worker that work may have come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import monotonic

from queuectl.drivers.contract import Driver, Watch
from queuectl.worker.link import StoreLink
from queuectl.worker.switchboard import Switchboard


class Lookout:
    """The driver's watch over the worker's queues; opened when the worker first has nothing to do."""

    def __init__(self, driver: Driver, link: StoreLink, queues: Sequence[str]) -> None:
        self._driver, self._link, self._queues = driver, link, queues
        self._watch: Watch | None = None
        self._check_at = math.inf
        self._armed: int | None = None
        self._outages = link.outages

    def arm(self, switchboard: Switchboard) -> float:
        """Have *switchboard* wake up for the watch; the seconds until `sees_work` must be asked regardless."""
        self._look_again()
        watch = self._watch = self._watch or self._link.ask(lambda: self._driver.watch(self._queues))
        check_in = None if watch is None else self._link.ask(watch.next_check_in)
        if watch is None or check_in is None:  # the store is away: its return is noticed elsewhere
            self._check_at = math.inf
            return math.inf
        self._armed = watch.fileno()
        if self._armed is not None:
            switchboard.listen_to(self._armed)
        self._check_at = monotonic() + check_in
        return check_in

    def sees_work(self, ready: Sequence[int], switchboard: Switchboard) -> bool:
        """After a wait: is it worth asking the store for jobs?"""
        armed, self._armed = self._armed, None
        if armed is not None:
            switchboard.stop_listening_to(armed)  # by another look it may have become another one
        watch = self._watch
        if watch is None or (monotonic() < self._check_at and armed not in ready):
            return False
        return bool(self._link.ask(watch.drain))

    def close(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()

    def _look_again(self) -> None:
        """A connection from before an outage is as good as dead, and would be taken for another outage."""
        if self._link.outages != self._outages:
            self._outages = self._link.outages
            self.close()
