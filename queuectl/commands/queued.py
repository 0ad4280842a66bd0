"""The jobs in queues, of every connection: which are meant, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from queuectl.commands.addresses import known_queues
from queuectl.commands.filters import Filter
from queuectl.commands.reach import ask, places, stores
from queuectl.commands.selection import Passing, Range, Selection
from queuectl.commands.session import Session
from queuectl.drivers.contract import Driver, State, Stored
from queuectl.errors import MalformedPayload, UsageError
from queuectl.jobs.payload import decode
from queuectl.unlocking import free_key

PAGE = 100
"""Jobs that are in memory at a time, payloads included."""
FEW = 50
"""Ids that a store is asked for; of more than these it shows everything once, and we choose."""
RECENT = 1000
"""Jobs that are looked through for a name."""
PARKED = "parked"
STATES: Mapping[str, Sequence[State]] = {
    "reserved": ("reserved",),
    "delayed": ("delayed",),
    "ready": ("ready",),
    PARKED: ("delayed", "ready"),
}
"""Where a store lists the jobs that we call so."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A job in a queue, with what its payload says of it."""

    connection: str
    stored: Stored
    uuid: str
    """The short id, where the payload tells none."""
    job: str
    created_at: float | None

    @classmethod
    def of(cls, connection: str, stored: Stored) -> Queued:
        try:
            envelope = decode(stored.payload)
        except MalformedPayload:
            return cls(connection, stored, stored.id, "", None)
        return cls(connection, stored, envelope.uuid or stored.id, envelope.display, envelope.created_at)

    @property
    def ids(self) -> set[str]:
        """All that it may be called."""
        return {self.uuid, self.stored.id}

    @property
    def state(self) -> str:
        """As people call it: a job that waits because nobody knew its name is parked, whatever else it is."""
        return PARKED if self.stored.parked_at is not None else self.stored.state


class Queues:
    """The queues of several connections."""

    def __init__(self, drivers: Mapping[str, Driver]) -> None:
        self._drivers = drivers

    def total(self, selection: Selection) -> int:
        """How many are looked at, at most."""
        if selection.at_most is not None:
            return selection.at_most
        return sum(
            counts.size
            for name, driver in self._drivers.items()
            for counts in driver.counts(self._names(name, driver, selection)).values()
        )

    def find(self, key: str) -> Queued | None:
        """The job of this id. `UsageError` if two connections have one."""
        return next(self._named(Selection(keys=[key])), None)

    def of(self, selection: Selection, states: Sequence[str], *, passing: Passing[Queued] = iter) -> Iterator[Queued]:
        """The jobs that are selected and in one of these states, each that is looked at going through *passing* first.

        State by state in the order given, the soonest first. Where *delayed* comes before *ready*, a job that falls
        due meanwhile is seen in any case.
        """
        looked_at = passing(self._everything(selection, states) if selection.everything else self._named(selection))
        meant = (one for one in looked_at if one.state in states and self._matches(selection, one))
        yield from islice(meant, selection.filters.limit)

    def cancel(self, jobs: Sequence[Queued], *, keep: str | None) -> list[Queued]:
        """Delete those that still wait as they were found, and return them. *keep*: what can bring them back."""
        gone = []
        for name, some in _by_connection(jobs).items():
            cancelled = set(self._drivers[name].cancel([one.stored for one in some], keep=keep))
            gone += [one for one in some if one.stored in cancelled]
            for stored in cancelled:
                free_key(self._drivers[name], stored.queue, stored.payload)
        return gone

    def doubts(self, filters: Filter) -> Iterator[str]:
        """A sentence for each name that nobody has, but that looks like one somebody has."""
        if filters.names:
            queues = {queue for driver in self._drivers.values() for queue in known_queues(driver)}
            recent = islice(self._all(), RECENT)
            yield from filters.doubts(queues=queues, jobs=(one.job for one in recent))

    def _matches(self, selection: Selection, one: Queued) -> bool:
        return selection.filters.matches_stored(one.stored, one.connection, job=one.job, created_at=one.created_at)

    def _everything(self, selection: Selection, states: Sequence[str]) -> Iterator[Queued]:
        listed = dict.fromkeys(listed for state in states for listed in STATES[state])
        for name, driver in self._drivers.items():
            for queue in self._names(name, driver, selection):
                for state in listed:
                    yield from (Queued.of(name, stored) for stored in _each(driver, queue, state))

    def _names(self, connection: str, driver: Driver, selection: Selection) -> list[str]:
        only = selection.filters.only_queue
        if only is not None:
            return [only]
        return [queue for queue in sorted(driver.counts()) if selection.filters.matches_queue(connection, queue)]

    def _named(self, selection: Selection) -> Iterator[Queued]:
        """Those of these ids, wherever they are; what nobody has is noted. `UsageError` for an id that two have."""
        wanted = set(selection.keys)
        found = self._among(wanted) if len(wanted) > FEW else self._found(selection.keys)
        seen: set[str] = set()
        for one in found:
            seen |= one.ids & wanted
            yield one
        selection.missing += [key for key in selection.keys if key not in seen]
        for words in selection.ranges:
            yield from self._in_range(words, selection)

    def _found(self, keys: Sequence[str]) -> list[Queued]:
        found = [Queued.of(name, one) for name, driver in self._drivers.items() for one in driver.find(keys)]
        _require_one_each(keys, found)
        return found

    def _among(self, wanted: set[str]) -> Iterator[Queued]:
        if len(self._drivers) > 1:
            _require_one_each(wanted, (one for one in self._all() if one.ids & wanted))
        return (one for one in self._all() if one.ids & wanted)

    def _all(self) -> Iterator[Queued]:
        return self._everything(Selection(everything=True), tuple(STATES))

    def _in_range(self, words: Range, selection: Selection) -> Iterator[Queued]:
        _require_one(words.words, {one.connection for one in self._all() if words.holds(one.stored.id)})
        empty = True
        for one in self._all():
            if words.holds(one.stored.id):
                empty = False
                yield one
        if empty:
            selection.missing.append(words.words)


def _by_connection(jobs: Iterable[Queued]) -> dict[str, list[Queued]]:
    found: dict[str, list[Queued]] = {}
    for one in jobs:
        found.setdefault(one.connection, []).append(one)
    return found


def _require_one_each(keys: Iterable[str], found: Iterable[Queued]) -> None:
    """`UsageError` where two connections have a job of one of these ids."""
    owners: dict[str, set[str]] = {}
    for one in found:
        for key in one.ids:
            owners.setdefault(key, set()).add(one.connection)
    for key in keys:
        _require_one(key, owners.get(key, set()))


def _require_one(words: str, connections: set[str]) -> None:
    if len(connections) > 1:
        raise UsageError(
            f"{' and '.join(sorted(connections))} both have jobs of {words!r}.",
            hint="Give uuids, or choose --connection.",
        )


def reachable_queues(session: Session, connection: str = "") -> tuple[Queues, int]:
    """The queues that can be looked into, and 7 instead of 0 if some cannot."""
    names = stores(session, connection) if connection else places(session)
    answers = ask(session, names, _reach)
    return Queues(answers.given), answers.exit_code


def _reach(name: str, driver: Driver) -> Driver:
    driver.check()
    return driver


def _each(driver: Driver, queue: str, state: State) -> Iterator[Stored]:
    page = driver.page(queue, state, limit=PAGE)
    yield from page.items
    while page.cursor is not None:
        page = driver.page(queue, state, cursor=page.cursor, limit=PAGE)
        yield from page.items
