"""What a soak's mischief can have done to jobs: which of them twice, and how soon work went on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from tests.faults.rig.gremlin import Mischief
from tests.faults.rig.producer import WISHING

UNTOLD = 10.0
"""Seconds for which an outcome may wait to be written down: an outage, and the longest pause behind it."""


@dataclass(frozen=True)
class Run:
    """One start of a job, in one process, and the moment of its effect."""

    key: str
    pid: int
    start: float
    done: float = inf


def runs(events: Iterable[Mapping[str, Any]]) -> list[Run]:
    """From the ledger, in the order in which they started; not of jobs that are to fail, which have no effect."""
    open_runs: dict[tuple[str, int], Run] = {}
    found: list[Run] = []
    for event in events:
        if event["key"].startswith(WISHING):
            continue
        place = event["key"], event["pid"]
        if event["ev"] == "start":
            _close(open_runs, place, found)
            open_runs[place] = Run(event["key"], event["pid"], event["t"])
        elif event["ev"] == "done" and place in open_runs:
            begun = open_runs.pop(place)
            found.append(Run(begun.key, begun.pid, begun.start, event["t"]))
    return sorted([*found, *open_runs.values()], key=lambda run: run.start)


def _close(open_runs: dict[tuple[str, int], Run], place: tuple[str, int], found: list[Run]) -> None:
    if place in open_runs:
        found.append(open_runs.pop(place))


def may_double(history: Sequence[Run], deeds: Sequence[Mischief]) -> set[str]:
    """Jobs that ran in a process that something happened to, or whose outcome it had not told yet."""
    return {run.key for run in history for deed in deeds if _touches(deed, run)}


def _touches(deed: Mischief, run: Run) -> bool:
    if run.start > deed.over:
        return False
    if deed.harm.memory and run.done > deed.begun - deed.harm.memory - UNTOLD:
        return True
    return run.pid in deed.harm.pids and run.done > deed.begun - UNTOLD


def recoveries(history: Sequence[Run], deeds: Sequence[Mischief]) -> dict[str, list[float]]:
    """By kind, the seconds from the mischief until what it had interrupted ran again (where it hit a worker), or from
    its end until anything was started (where it hit the store or the way to it)."""
    found: dict[str, list[float]] = defaultdict(list)
    for deed in deeds:
        seconds = _again(history, deed) if deed.kind in OF_WORKERS else _anything(history, deed)
        if seconds is not None:
            found[deed.kind].append(round(seconds, 3))
    return dict(found)


OF_WORKERS = ("child killed", "worker killed", "worker frozen")


def _again(history: Sequence[Run], deed: Mischief) -> float | None:
    """The last of those that had been running; None if there were none."""
    held = {run.key for run in history if run.pid in deed.harm.pids and run.start < deed.begun < run.done}
    starts = [_first(history, deed.begun, key) for key in held]
    return max((start - deed.begun for start in starts if start is not None), default=None)


def _anything(history: Sequence[Run], deed: Mischief) -> float | None:
    start = _first(history, deed.over)
    return None if start is None else start - deed.over


def _first(history: Sequence[Run], after: float, key: str | None = None) -> float | None:
    return next((run.start for run in history if run.start > after and key in (None, run.key)), None)
