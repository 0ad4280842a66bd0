"""A transaction of the application, in the few words that it takes to be a part of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol

from queuectl.errors import UsageError


class Transactional(Protocol):
    """A connection or session whose transaction the application ends."""

    def commit(self) -> object: ...

    def rollback(self) -> object: ...


class Caller(ABC):
    """A connection or session of the application's. Only what the application asks for ends its transaction."""

    shown: ClassVar[str]
    """What it is, for messages."""
    named: ClassVar[bool] = False
    """Parameters are `:name`; otherwise `%(name)s`."""
    tells: ClassVar[bool] = False
    """Does the library tell when it has committed?"""

    def __init__(self) -> None:
        self.held: list[Callable[[], object]] | None = None
        """What follows the commit, where it is we who commit and nobody else tells."""

    @property
    @abstractmethod
    def dialect(self) -> str:
        """`sqlite`, `postgresql`, `mysql`, or a name of no database that jobs can be in."""

    @property
    @abstractmethod
    def raw(self) -> object:
        """What stays the same as long as the line to the database does."""

    @abstractmethod
    def execute(self, sql: str, values: Mapping[str, Any]) -> tuple[list[tuple[Any, ...]], int]:
        """Run a statement in the transaction: its rows, and how many it hit. Raises what the client library raises."""

    def when_committed(self, call: Callable[[], object]) -> None:
        """Call it once the transaction has been committed, and never if it is rolled back.

        Raises `UsageError` where nobody says when that is.
        """
        if self.held is not None:
            self.held.append(call)
        else:
            self._hear(call)

    def once_committed(self, call: Callable[[], object]) -> None:
        """As `when_committed`; at once where nobody says when that is."""
        if self.can_tell:
            self.when_committed(call)
        else:
            call()

    @property
    def can_tell(self) -> bool:
        """Will anybody say that it has been committed?"""
        return self.tells or self.held is not None

    def _hear(self, call: Callable[[], object]) -> None:
        raise UsageError(
            f"{self.shown} does not tell when it is committed.",
            hint="`with queuectl.transaction(connection):` does: it commits at the end of the block.",
        )

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Is there a transaction that has not ended?"""

    @abstractmethod
    def begin(self) -> None:
        """Begin one, if none has begun."""

    @abstractmethod
    def commit(self) -> None: ...

    @abstractmethod
    def rollback(self) -> None: ...

    @contextmanager
    def block(self) -> Iterator[None]:
        """Commit at its end, or roll back if it raises."""
        self.begin()
        try:
            yield
            self.commit()
        except BaseException:
            self.rollback()
            raise
