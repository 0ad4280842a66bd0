"""Ending jobs that somebody asked to end while they run: first by a flag, then as at a time limit, then for good."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from queuectl.drivers.contract import Driver
from queuectl.drivers.control import Cancel
from queuectl.worker.children import Child
from queuectl.worker.crew import Crew
from queuectl.worker.docket import Docket
from queuectl.worker.link import StoreLink


@dataclass(slots=True)
class _Asked:
    uuid: str
    child: Child
    press_at: float
    """Monotonic time from which on it is not left to the job any more."""


class Cancelling:
    """Passes on to the children what operators asked of their jobs."""

    def __init__(self, driver: Driver, link: StoreLink, docket: Docket, crew: Crew, kill_after: float) -> None:
        self._driver, self._link, self._docket, self._crew = driver, link, docket, crew
        self._kill_after = kill_after
        self._asked: dict[int, _Asked] = {}

    @property
    def due_at(self) -> float:
        """Monotonic time at which the next job is to be interrupted."""
        return min((asked.press_at for asked in self._asked.values()), default=math.inf)

    def tend(self, wanted: Mapping[str, Cancel]) -> None:
        """*wanted*: jobs that are to end, by uuid, whoever runs them."""
        if not wanted and not self._asked:
            return
        for key in [key for key in self._asked if key not in self._docket.running]:
            self._forget(self._asked.pop(key))
        for child in self._crew:
            for key in child.runs:
                running = self._docket.running.get(key)
                if running is not None and running.attempt.uuid in wanted and key not in self._asked:
                    self._ask(key, child, running.attempt.uuid, wanted[running.attempt.uuid])
        self._press()

    def _ask(self, key: int, child: Child, uuid: str, cancel: Cancel) -> None:
        self._docket.cancelled[key] = cancel.by
        self._asked[key] = _Asked(uuid, child, monotonic() + cancel.within)
        child.cancel(key, cancel.within + self._kill_after)

    def _press(self) -> None:
        now = monotonic()
        for key, asked in self._asked.items():
            if now >= asked.press_at:
                asked.press_at = math.inf
                asked.child.interrupt(key)

    def _forget(self, asked: _Asked) -> None:
        """It has ended; another life of it is not to end because of this."""
        self._link.do(lambda: self._driver.control.was_cancelled(asked.uuid))
