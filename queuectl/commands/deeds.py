"""What operators did, as all stores together remember it."""

from __future__ import annotations

from dataclasses import dataclass, field

from queuectl.commands.reach import ask, stores
from queuectl.commands.session import Session
from queuectl.drivers.operation import Operation
from queuectl.drivers.removed import KEPT


@dataclass
class Deed:
    """One operation, and what each store that it changed remembers of it."""

    operation: Operation
    """As one of them remembers it."""
    by_store: dict[str, Operation] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.operation.id

    @property
    def count(self) -> int:
        return sum(operation.count for operation in self.by_store.values())

    @property
    def undone_at(self) -> float | None:
        """When the last of it was brought back; None while there is a store that has something to bring back."""
        times = [operation.undone_at for operation in self.by_store.values()]
        return None if None in times else max(filter(None, times))

    @property
    def kept_until(self) -> float | None:
        return self.operation.at + KEPT if self.operation.undoable else None

    def can_be_undone(self, now: float) -> bool:
        return self.kept_until is not None and now < self.kept_until and self.undone_at is None


def deeds(session: Session, connection: str = "") -> tuple[list[Deed], int]:
    """What is remembered, the newest first; and 7 instead of 0 if some connection cannot be asked."""
    names = stores(session, connection) if connection else [name for name, _ in session.app.failed_stores()]
    if not names:
        stores(session)  # says why there are none
    answers = ask(session, names, lambda name, driver: driver.control.operations())
    found: dict[str, Deed] = {}
    for name, operations in answers.given.items():
        for operation in operations:
            found.setdefault(operation.id, Deed(operation)).by_store[name] = operation
    return sorted(found.values(), key=lambda deed: (deed.operation.at, deed.id), reverse=True), answers.exit_code
