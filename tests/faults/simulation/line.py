"""The line between an actor and a store: it may break before a call or after it, and each answer is held to the truth.

While a call is on its way, others may move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from typing import Any, Protocol, TypeVar

from queuectl.drivers.contract import Counts, Driver, FailedJob, Page, Reserved, Settlement, Verdict
from queuectl.errors import DriverUnavailable
from queuectl.jobs.outcome import Entry, FailedRecord
from tests.faults.simulation.truth import Truth

T = TypeVar("T")


class Crash(BaseException):
    """The process of an actor is gone."""


class Trouble(Enum):
    """What may happen to a call."""

    NONE = auto()
    REFUSED = auto()
    UNCONFIRMED = auto()
    KILLED_BEFORE = auto()
    KILLED_AFTER = auto()


class Fate(Protocol):
    """Who decides what goes wrong."""

    def trouble(self) -> Trouble: ...

    def meanwhile(self) -> None:
        """Let others move."""

    def look(self) -> None:
        """Something has changed: is all still as it must be?"""


class Line:
    """A driver as an actor has it."""

    immediate = False

    def __init__(self, driver: Driver, truth: Truth, fate: Fate) -> None:
        self._driver, self._truth, self._fate = driver, truth, fate
        self.failed = FailedLine(driver, truth, self._call)
        self.name, self.place, self.retry_after = driver.name, driver.place, driver.retry_after

    def push(self, entries: Sequence[Entry]) -> list[str]:
        return self._call(
            lambda: self._driver.push(entries),
            lambda stands: self._truth.pushed(entries, stands),
        )

    def exchange(
        self, settlements: Sequence[Settlement], queues: Sequence[str], room: int
    ) -> tuple[list[Verdict], list[Reserved]]:
        return self._call(
            lambda: self._driver.exchange(settlements, queues, room),
            lambda answer: self._truth.exchanged(settlements, *answer),
        )

    def renew(self, reservations: Sequence[Reserved]) -> list[Reserved]:
        return self._call(
            lambda: self._driver.renew(reservations),
            lambda lost: self._truth.renewed(reservations, lost),
        )

    def clear(self, queue: str) -> int:
        return self._call(
            lambda: self._driver.clear(queue),
            lambda count: self._truth.cleared(queue, count),
        )

    def counts(self, queues: Iterable[str] | None = None) -> dict[str, Counts]:
        return self._call(lambda: self._driver.counts(queues))

    def _call(self, call: Callable[[], T], tell: Callable[[T], object] = lambda answer: None) -> T:
        trouble = self._fate.trouble()
        self._fate.meanwhile()
        if trouble is Trouble.REFUSED:
            raise DriverUnavailable("refused")
        if trouble is Trouble.KILLED_BEFORE:
            raise Crash
        answer = call()
        tell(answer)
        self._fate.look()
        if trouble is Trouble.UNCONFIRMED:
            raise DriverUnavailable("unconfirmed")
        if trouble is Trouble.KILLED_AFTER:
            raise Crash
        return answer


class FailedLine:
    """Its failed store."""

    def __init__(self, driver: Driver, truth: Truth, call: Callable[..., Any]) -> None:
        self._store, self._truth, self._call = driver.failed, truth, call

    def add(self, records: Sequence[FailedRecord]) -> None:
        self._call(lambda: self._store.add(records), lambda _: self._truth.added(records))

    def retry(self, keys: Sequence[str], *, watch: str | None = None) -> list[str]:
        return self._call(lambda: self._store.retry(keys, watch=watch), lambda moved: self._truth.retried(keys, moved))

    def forget(self, keys: Sequence[str], *, keep: str | None = None) -> list[str]:
        return self._call(lambda: self._store.forget(keys, keep=keep), lambda gone: self._truth.forgot(keys, gone))

    def page(self, *, queue: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[FailedJob]:
        return self._call(lambda: self._store.page(queue=queue, cursor=cursor, limit=limit))

    def get(self, key: str) -> FailedJob | None:
        return self._call(lambda: self._store.get(key))
