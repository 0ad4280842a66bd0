"""What is examined: one configuration, and the connections that it leads to, each asked once whether it answers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from queuectl.drivers.contract import Driver
from queuectl.errors import QueuectlError, TableMissing

if TYPE_CHECKING:
    from queuectl.app import App
    from queuectl.doctor.jobs import Imported


class Patient:
    """Everything that the checks look at."""

    def __init__(self, app: App, *, version: str = "", supervisor_file: str = "") -> None:
        """*version*: of this code. *supervisor_file*: to be looked at as well as those in the usual places."""
        self.app = app
        self.config = app.config
        self.version = version
        self.supervisor_file = supervisor_file
        self._troubles: dict[str, QueuectlError | None] = {}

    @cached_property
    def connections(self) -> list[str]:
        """Those that somebody chose, also as the place for failed jobs or notifications."""
        config, named = self.config, []
        for key in ("failed.connection", "notifications.connection"):
            if config.origins[key].source != "default":
                named.append(config.origins[key].value)
        return [name for name in dict.fromkeys([*config.mentioned, *named]) if name]

    def trouble(self, name: str) -> QueuectlError | None:
        """Why this connection cannot be used; None if it can."""
        if name not in self._troubles:
            self._troubles[name] = self._try(name)
        return self._troubles[name]

    def _try(self, name: str) -> QueuectlError | None:
        try:
            self.app.driver(name).check()
        except QueuectlError as error:
            return error
        return None

    def answering(self) -> Iterator[Driver]:
        """The connections whose server answers, with tables or without."""
        for name in self.connections:
            if isinstance(self.trouble(name), TableMissing | None):
                yield self.app.driver(name)

    def usable(self) -> Iterator[Driver]:
        """The connections that take jobs and keep them, each store once."""
        seen = set()
        for driver in self.answering():
            if self.trouble(driver.name) is None and not driver.immediate and driver.place not in seen:
                seen.add(driver.place)
                yield driver

    @cached_property
    def jobs(self) -> Imported:
        """What came of importing the application, in a process of its own."""
        from queuectl.doctor.jobs import imported

        return imported(self.config)
