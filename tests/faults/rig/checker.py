"""What became of every job: the total-queue check. What goes in must come out, once, and be somewhere meanwhile.

A job is told by its key. It is *attempted* when a producer sets out to push it and *acknowledged* when the push
returned. The ledger says when its code started and when its effect was done; the places say where its payload lies at
rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class History:
    """Everything that is known of a run, once it is at rest."""

    attempted: Collection[str]
    acknowledged: Collection[str]
    events: Sequence[Mapping[str, Any]]
    """The ledger: `ev` (start, done, failed), `key`, and with a start its `attempt`."""
    places: Mapping[str, Sequence[str]]
    """By key, each place where the job lies: `ready`, `delayed`, `reserved`, `failed`, `outbox`."""


@dataclass(frozen=True)
class Findings:
    """What a history shows. `lost`, `unexpected` and `misplaced` are empty in any that may be."""

    jobs: int
    done: int
    lost: frozenset[str]
    """Acknowledged, neither done nor anywhere."""
    unexpected: frozenset[str]
    """Done or lying somewhere, and nobody set out to push it."""
    misplaced: Mapping[str, Sequence[str]]
    """In two places at once, or done and still waiting."""
    doubled: Mapping[str, int]
    """Done more than once, and how often."""
    miscounted: Mapping[str, Sequence[int]]
    """Started under attempt numbers that are not 1, 2, 3, …"""
    recovered: frozenset[str] = field(default_factory=frozenset)
    """Done or kept although the push never returned: allowed, and worth knowing."""

    @property
    def counts(self) -> dict[str, int]:
        """For the table of a whole run."""
        return {"jobs": self.jobs, "done": self.done, "lost": len(self.lost), "doubled": len(self.doubled)}


def examine(history: History) -> Findings:
    """Hold the ledger and the places against what was pushed."""
    done = Counter(event["key"] for event in history.events if event["ev"] == "done")
    known = done.keys() | history.places.keys()
    return Findings(
        jobs=len(set(history.acknowledged)),
        done=len(done),
        lost=frozenset(set(history.acknowledged) - known),
        unexpected=frozenset(known - set(history.attempted)),
        misplaced=_misplaced(history.places, done),
        doubled={key: count for key, count in done.items() if count > 1},
        miscounted=_miscounted(history.events),
        recovered=frozenset((known & set(history.attempted)) - set(history.acknowledged)),
    )


def check(
    history: History,
    *,
    doubled: Collection[str] = (),
    may_double: Collection[str] = (),
    recounted: Collection[str] = (),
) -> Findings:
    """The findings, if they are as they must be.

    Exactly *doubled* have been done twice (and, besides, any of *may_double*); every start has its number, but for
    *recounted*: jobs whose reservation was lost before they started.
    """
    found = examine(history)
    assert not found.lost, f"lost: {sorted(found.lost)}"
    assert not found.unexpected, f"nobody pushed: {sorted(found.unexpected)}"
    assert not found.misplaced, f"not in one place: {dict(found.misplaced)}"
    twice = set(found.doubled)
    assert set(doubled) <= twice, f"not done twice: {sorted(set(doubled) - twice)}"
    assert twice <= set(doubled) | set(may_double), f"done twice: {sorted(twice - set(doubled) - set(may_double))}"
    wrong = {key: numbers for key, numbers in found.miscounted.items() if key not in set(recounted)}
    assert not wrong, f"attempts that are not their starts: {wrong}"
    return found


def _misplaced(places: Mapping[str, Sequence[str]], done: Mapping[str, int]) -> dict[str, Sequence[str]]:
    crowded = {key: where for key, where in places.items() if len(where) > 1}
    left_over = {key: ["done", *where] for key, where in places.items() if key in done}
    return {**crowded, **left_over}


def _miscounted(events: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[int]]:
    starts: dict[str, list[int]] = defaultdict(list)
    for event in events:
        if event["ev"] == "start":
            starts[event["key"]].append(event["attempt"])
    return {key: numbers for key, numbers in starts.items() if numbers != list(range(1, len(numbers) + 1))}
