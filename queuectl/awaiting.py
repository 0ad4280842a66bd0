"""Jobs that somebody waits for: which have ended, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import urandom

from queuectl.clock import Clock
from queuectl.drivers.contract import Driver, FailedJob, FailedStore
from queuectl.drivers.ends import End
from queuectl.errors import DriverUnavailable
from queuectl.jobs.payload import identity

FIRST_SEARCH, SECOND_LOOK, LONGEST_PAUSE = 5.0, 1.0, 60.0
SHARE = 20.0
"""Searches take a twentieth of the time at most: they may read whole queues."""


def new_watch() -> str:
    """A name to wait under that nobody else has."""
    return urandom(8).hex()


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that is not waited for any longer."""

    uuid: str
    end: End | None
    """None: it is in no queue and has not failed, and nobody told what became of it. Its worker was killed at that
    moment, it was deleted, or it was done by a worker that does not tell."""

    @property
    def done(self) -> bool:
        return self.end is not None and self.end.done


class Awaited:
    """Follows jobs that were pushed with a note to tell of their end under one name.

    Workers tell in the control store, which is cheap to ask. A job of which nothing has been heard for a while is
    searched for, so that one whose end nobody told is not waited for for ever.
    """

    def __init__(
        self,
        watch: str,
        failed: Sequence[FailedStore],
        *,
        clock: Clock,
        keeper: Callable[[Driver], Driver | None] = lambda driver: None,
        note: Callable[[str], object] = lambda text: None,
    ) -> None:
        """*failed*: the other stores that may have their failures; *keeper* gives the store that keeps a driver's jobs
        while that one is away; *note* is told of outages, which are waited out."""
        self.watch = watch
        self._clock = clock
        self._failed, self._keeper, self._note = failed, keeper, note
        self._open: dict[Driver, set[str]] = {}
        self._missed: set[str] = set()
        """Those that a search did not find."""
        self._away = False
        self._pause = FIRST_SEARCH
        self._search_at = self._clock.now() + FIRST_SEARCH

    @property
    def open(self) -> int:
        """How many are still waited for."""
        return sum(map(len, self._open.values()))

    def expect(self, driver: Driver, uuids: Iterable[str]) -> None:
        """These are on their way there."""
        self._open.setdefault(driver, set()).update(uuids)

    def look(self) -> list[Ended]:
        """Those that have ended since the last look."""
        ended: list[Ended] = []
        try:
            for found in self._look():
                ended.append(found)
        except DriverUnavailable as error:
            if not self._away:
                self._note(f"{error} Waiting until it is there again.")
            self._away = True
            return ended
        self._away = False
        return ended

    def _look(self) -> Iterator[Ended]:
        heard = False
        for driver in self._open:
            for ended in self._told(driver):
                heard = True
                yield ended
        if heard:
            self._put_off_search(FIRST_SEARCH)
        elif self.open and self._clock.now() >= self._search_at:
            yield from self._search()

    def _told(self, driver: Driver) -> Iterator[Ended]:
        waiting = self._open[driver]
        for end in driver.control.ends(self.watch) if waiting else ():
            if end.uuid in waiting:
                waiting.discard(end.uuid)
                yield Ended(end.uuid, end)
            driver.control.strike_end(self.watch, end.uuid)

    # Searching

    def _put_off_search(self, pause: float) -> None:
        self._pause = pause
        self._search_at = self._clock.now() + pause

    def _search(self) -> Iterator[Ended]:
        began, missed_before = self._clock.now(), len(self._missed)
        for driver in self._open:
            yield from self._search_in(driver)
        took = self._clock.now() - began
        pause = SECOND_LOOK if len(self._missed) > missed_before else min(self._pause * 2, LONGEST_PAUSE)
        self._put_off_search(max(pause, SHARE * took))

    def _search_in(self, driver: Driver) -> Iterator[Ended]:
        """What two searches miss has ended; once may be bad luck, it was on its way from one state to another."""
        found = self._found(driver)
        absent = self._open[driver] - found
        self._missed -= found
        yield from self._told(driver)  # meanwhile
        for uuid in sorted(absent & self._open[driver]):
            row = next(filter(None, (store.get(uuid) for store in (driver.failed, *self._failed))), None)
            if row is None and uuid not in self._missed:
                self._missed.add(uuid)
                continue
            self._missed.discard(uuid)
            self._open[driver].discard(uuid)
            yield Ended(uuid, None if row is None else _end_of(row))

    def _found(self, driver: Driver) -> set[str]:
        keeper, uuids = self._keeper(driver), sorted(self._open[driver])
        stores = [driver] if keeper is None else [keeper, driver]  # on its way it goes from the first to the second
        return {identity(stored.payload)[0] for store in stores for stored in store.find(uuids)}


def _end_of(row: FailedJob) -> End:
    return End(row.uuid, row.job, row.queue, False, row.attempts, row.failed_at, row.error, row.message)
