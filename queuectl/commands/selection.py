"""Which failed jobs are meant: uuids, short ids, ranges, `all`, or ids from stdin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from queuectl.commands.session import Session
from queuectl.errors import UsageError
from queuectl.failing import FailedJobs, Located

RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Range:
    """Short ids from one to another, both included."""

    words: str
    first: int
    last: int

    def holds(self, located: Located) -> bool:
        number = located.job.id
        return number.isascii() and number.isdigit() and self.first <= int(number) <= self.last


@dataclass
class Selection:
    """What the words of a command line select."""

    everything: bool = False
    queue: str | None = None
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

    def of(self, failed: FailedJobs) -> Iterator[Located]:
        """The jobs themselves. `UsageError`, before the first one, for an id that two connections have."""
        if self.everything:
            yield from self._ours(failed.all(self.queue))
            return
        for words in self.ranges:
            _require_one_store(words, failed)
        for key in self.keys:
            found = failed.find(key)
            if found is None:
                self.missing.append(key)
            else:
                yield from self._ours([found])
        for words in self.ranges:
            yield from self._in_range(words, failed)

    def _in_range(self, words: Range, failed: FailedJobs) -> Iterator[Located]:
        empty = True
        for located in filter(words.holds, failed.all()):
            empty = False
            yield from self._ours([located])
        if empty:
            self.missing.append(words.words)

    def _ours(self, found: Iterable[Located]) -> Iterator[Located]:
        for located in found:
            if located.job.foreign and not self.foreign:
                self.spared += 1
            else:
                yield located


def select(session: Session, words: Sequence[str], *, queue: str = "", foreign: bool = False) -> Selection:
    """Read the words; `UsageError` where they do not fit together or select nothing."""
    if queue and list(words) not in ([], ["all"]):
        raise UsageError("Give ids or --queue, not both.")
    if queue or list(words) == ["all"]:
        return Selection(everything=True, queue=queue or None, foreign=foreign)
    if "all" in words:
        raise UsageError("`all` stands alone.")
    found = Selection(foreign=foreign)
    for word in dict.fromkeys(_with_stdin(session, words)):
        matched = RANGE.fullmatch(word)
        if matched:
            found.ranges.append(Range(word, int(matched[1]), int(matched[2])))
        else:
            found.keys.append(word)
    if found.is_empty and "-" not in words:
        raise UsageError("Which failed jobs? Give ids, a range such as 1-5, - to read ids from stdin, or `all`.")
    return found


def _with_stdin(session: Session, words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if word == "-":
            yield from filter(None, (line.strip() for line in session.output.stdin))
        else:
            yield word


def _require_one_store(words: Range, failed: FailedJobs) -> None:
    stores = {located.store for located in failed.all() if words.holds(located)}
    if len(stores) > 1:
        raise UsageError(
            f"{' and '.join(sorted(stores))} both have failed jobs in {words.words}.",
            hint="Give uuids, or choose --connection.",
        )
