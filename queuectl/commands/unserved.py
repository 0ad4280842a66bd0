"""A word to those who wait for a job that nobody is there to run."""

from __future__ import annotations

from contextlib import suppress

from queuectl.commands.session import Session
from queuectl.commands.text import typed
from queuectl.drivers.contract import Driver
from queuectl.errors import DriverUnavailable


class Doubts:
    """Warns of queues without a living worker, of each once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: set[tuple[str, str]] = set()

    def about(self, driver: Driver, queue: str) -> None:
        if (driver.name, queue) in self._known:
            return
        self._known.add((driver.name, queue))
        with suppress(DriverUnavailable):  # said by whoever waits for it
            if any(queue in beat.queues for beat in driver.control.beats()):
                return
            command = typed("queuectl", "work", driver.name, f"--queue={queue}")
            self._session.output.warn(f"No worker is alive for [{queue}]: `{command}` is one.")
