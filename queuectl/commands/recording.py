"""What a command changes is written down, in each store that it changes, for `audit` and `undo`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace

from queuectl.commands.operator import operator
from queuectl.commands.session import Session
from queuectl.commands.text import shortened
from queuectl.commands.times import local
from queuectl.drivers.contract import Driver
from queuectl.drivers.operation import Operation, new_operation_id
from queuectl.drivers.removed import KEPT
from queuectl.errors import ConfigurationError
from queuectl.jobs.masking import mask

LONGEST = 1000
"""Characters of a command line that are kept: it may hold thousands of ids."""


class Recording:
    """One run of a changing command, as its stores will remember it.

    Entered before the first change and left after the last one, so that what an interrupted run removed can be found
    and brought back. Stores that nothing was changed in remember nothing.
    """

    def __init__(
        self, session: Session, verb: str, *, words: str = "", undoable: bool = False, dry_run: bool = False
    ) -> None:
        """*words*: what was typed, where that is not the command line."""
        self._session, self._idle = session, dry_run
        self._operation = Operation(
            id=new_operation_id(),
            verb=verb,
            words=words or shortened(mask(shlex.join(session.words)), LONGEST),
            who=operator(session.output.environment),
            at=session.app.clock.now(),
            undoable=undoable,
        )
        self._done: dict[str, tuple[Driver, int]] = {}

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not issubclass(kind, ConfigurationError):
            return  # what was cut off may have been done all the same: it must be found again
        for driver, count in self._done.values():
            if not count:
                driver.control.strike(self.id)

    @property
    def id(self) -> str:
        return self._operation.id

    @property
    def who(self) -> str:
        return self._operation.who

    @property
    def keep(self) -> str | None:
        """What is given to a store that is to keep what it removes."""
        return self.id if self._operation.undoable else None

    @property
    def count(self) -> int:
        return sum(count for _, count in self._done.values())

    def begin(self, drivers: Iterable[Driver]) -> None:
        """Something is about to be changed in these."""
        for driver in drivers:
            if not self._idle and driver.name not in self._done:
                self._done[driver.name] = (driver, 0)
                driver.control.record(self._operation)

    def add(self, driver: Driver, count: int = 1) -> None:
        """So much more was changed there."""
        if self._idle or not count:
            return
        total = count + self._done.get(driver.name, (driver, 0))[1]
        self._done[driver.name] = (driver, total)
        driver.control.record(replace(self._operation, count=total))

    @property
    def can_be_undone(self) -> bool:
        return self._operation.undoable and self.count > 0

    def tell_undo(self) -> None:
        """How to take it back, where that can be done, and how much of it."""
        if not self.can_be_undone:
            return
        kept = sum(min(count, driver.removed.most) for driver, count in self._done.values())
        what, them = ("Kept", "it") if kept == self.count else (f"The last {kept:,} are kept", "them")
        until = local(self._operation.at + KEPT)
        self._session.output.info(f"{what} until {until}: `queuectl undo {self.id}` brings {them} back.")
