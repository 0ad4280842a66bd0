"""Which failed jobs are meant: uuids, short ids, ranges, ids from stdin, or `all` that a filter lets through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from math import inf, nextafter
from typing import TypeVar

from queuectl.commands.filters import Filter
from queuectl.commands.session import Session
from queuectl.errors import UsageError
from queuectl.failing import FailedJobs, Located

NO_FILTER = Filter()
T = TypeVar("T")
Passing = Callable[[Iterable[T]], Iterable[T]]
RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Range:
    """Short ids from one to another, both included."""

    words: str
    first: int
    last: int

    def holds(self, number: str) -> bool:
        return number.isascii() and number.isdigit() and self.first <= int(number) <= self.last


@dataclass
class Selection:
    """What the words of a command line select."""

    everything: bool = False
    filters: Filter = NO_FILTER
    """Which of everything; ids stand for themselves."""
    keys: list[str] = field(default_factory=list)
    ranges: list[Range] = field(default_factory=list)
    foreign: bool = False
    """Jobs of a PHP application as well."""
    missing: list[str] = field(default_factory=list)
    """Ids, met while selecting, that nobody has."""
    spared: int = 0
    """Jobs of a PHP application that were left alone."""

    @property
    def is_empty(self) -> bool:
        return not (self.everything or self.keys or self.ranges)

    @property
    def at_most(self) -> int | None:
        """How many it can be, where the words alone tell."""
        return None if self.everything or self.ranges else len(self.keys)

    def of(self, failed: FailedJobs, *, passing: Passing[Located] = iter) -> Iterator[Located]:
        """The jobs themselves; each that is looked at goes through *passing* first.

        `UsageError`, before the first one, for an id that two connections have.
        """
        if self.everything:
            looked_at = passing(failed.all(self.filters.only_queue))
            meant = looked_at
            if not self.filters.is_empty:
                meant = (located for located in looked_at if self.filters.matches_failed(located.job))
            yield from islice(self._ours(meant), self.filters.limit)
            return
        for words in self.ranges:
            _require_one_store(words, failed)
        yield from self._ours(passing(self._with_key(failed)))
        for words in self.ranges:
            yield from self._ours(passing(self._in_range(words, failed)))

    def count(self, failed: FailedJobs, *, passing: Passing[Located] = iter) -> int:
        """How many they are now. What fails from here on is no longer selected: it was not counted."""
        count, newest = 0, 0.0
        for located in self.of(failed, passing=passing):
            count += 1
            newest = max(newest, located.job.failed_at)
        self.filters = replace(self.filters, before=nextafter(newest, inf))
        self.missing, self.spared = [], 0
        return count

    def _with_key(self, failed: FailedJobs) -> Iterator[Located]:
        for key in self.keys:
            found = failed.find(key)
            if found is None:
                self.missing.append(key)
            else:
                yield found

    def _in_range(self, words: Range, failed: FailedJobs) -> Iterator[Located]:
        empty = True
        for located in (located for located in failed.all() if words.holds(located.job.id)):
            empty = False
            yield located
        if empty:
            self.missing.append(words.words)

    def _ours(self, found: Iterable[Located]) -> Iterator[Located]:
        for located in found:
            if located.job.foreign and not self.foreign:
                self.spared += 1
            else:
                yield located


def select(
    session: Session,
    words: Sequence[str],
    *,
    filters: Filter = NO_FILTER,
    foreign: bool = False,
    noun: str = "failed jobs",
) -> Selection:
    """Read the words; `UsageError` where they do not fit together or select nothing."""
    if list(words) == ["all"] or (not words and not filters.is_empty):
        return Selection(everything=True, filters=filters, foreign=foreign)
    if not filters.is_empty:
        raise UsageError("Give ids, or options that say which jobs are meant, not both.")
    if "all" in words:
        raise UsageError("`all` stands alone.")
    found = Selection(foreign=foreign)
    for word in dict.fromkeys(with_stdin(session, words)):
        matched = RANGE.fullmatch(word)
        if matched:
            found.ranges.append(Range(word, int(matched[1]), int(matched[2])))
        else:
            found.keys.append(word)
    if found.is_empty and "-" not in words:
        raise UsageError(f"Which {noun}? Give ids, a range such as 1-5, - to read ids from stdin, or `all`.")
    return found


def with_stdin(session: Session, words: Sequence[str]) -> Iterator[str]:
    """The words, where - stands for the lines of stdin."""
    for word in words:
        if word == "-":
            yield from filter(None, (line.strip() for line in session.output.stdin))
        else:
            yield word


def _require_one_store(words: Range, failed: FailedJobs) -> None:
    stores = {located.store for located in failed.all() if words.holds(located.job.id)}
    if len(stores) > 1:
        raise UsageError(
            f"{' and '.join(sorted(stores))} both have failed jobs in {words.words}.",
            hint="Give uuids, or choose --connection.",
        )
