"""`failed --group`: failures by what they have in common, the most frequent first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from queuectl.commands.failed_rows import NARROW
from queuectl.commands.listing import Form, Listing
from queuectl.commands.output import Output
from queuectl.commands.text import plural, shortened
from queuectl.commands.times import coarse, iso, local
from queuectl.failing import Located
from queuectl.jobs.masking import mask

HEADER = ("GROUP", "JOBS", "JOB", "ERROR", "AT", "FIRST", "LAST")
NARROW_HEADER = ("GROUP", "JOBS", "JOB", "ERROR", "FIRST", "LAST")
SHOWN = 8
"""Digits of a fingerprint where there is little room: as many as it takes to name it."""
MOST_GROUPS = 10_000
"""Groups that are told apart: so many causes are none."""
MOST_QUEUES = 20
ERROR_CELLS = 200
NO_FINGERPRINT = "-"
NOTHING = "No failed jobs found."


@dataclass
class Group:
    """Failures that share a fingerprint."""

    fingerprint: str
    sample: Located
    """The newest."""
    first: float
    last: float
    count: int = 0
    queues: set[str] = field(default_factory=set)

    def add(self, located: Located) -> None:
        job = located.job
        self.count += 1
        self.first, self.last = min(self.first, job.failed_at), max(self.last, job.failed_at)
        if len(self.queues) < MOST_QUEUES:
            self.queues.add(f"{job.connection}:{job.queue}")


def grouped(rows: Iterable[Located]) -> list[Group]:
    """The groups, the largest first. What would be one too many of them counts among those without a fingerprint."""
    groups: dict[str, Group] = {}
    for located in rows:
        job = located.job
        key = job.fingerprint if job.fingerprint in groups or len(groups) < MOST_GROUPS else ""
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(key, located, job.failed_at, job.failed_at)
        group.add(located)
    return sorted(groups.values(), key=lambda group: (-group.count, -group.last))


def show_groups(output: Output, groups: list[Group], form: Form, limit: int | None, *, now: float) -> None:
    _listing(output, now).show(output, islice(groups, limit), form)
    if form is Form.TABLE and groups:
        shown = plural(min(len(groups), limit or len(groups)), "group")
        output.info(f"{shown}. `queuectl failed --group GROUP` lists one, `queuectl retry --group GROUP` retries it.")


def _to_json(group: Group) -> dict[str, Any]:
    job = group.sample.job
    return {
        "fingerprint": group.fingerprint,
        "count": group.count,
        "job": job.job,
        "error": job.error,
        "message": mask(job.message),
        "place": job.place,
        "queues": sorted(group.queues),
        "first_failed_at": iso(group.first),
        "last_failed_at": iso(group.last),
        "sample": job.uuid,
    }


def _to_row(group: Group) -> tuple[str, ...]:
    job = group.sample.job
    return (
        group.fingerprint or NO_FINGERPRINT,
        str(group.count),
        job.job or "?",
        shortened(f"{job.error.rpartition('.')[2]}: {mask(job.message)}", ERROR_CELLS),
        job.place or "?",
        local(group.first),
        local(group.last),
    )


def _to_narrow_row(group: Group, now: float) -> tuple[str, ...]:
    """How long ago says more than when, and the place is a part of the error."""
    job = group.sample.job
    place = f" at {job.place}" if job.place else ""
    return (
        group.fingerprint[:SHOWN] or NO_FINGERPRINT,
        str(group.count),
        job.job or "?",
        shortened(f"{job.error.rpartition('.')[2]}{place}: {mask(job.message)}", ERROR_CELLS),
        f"{coarse(now - group.first)} ago",
        f"{coarse(now - group.last)} ago",
    )


def _listing(output: Output, now: float) -> Listing[Group]:
    if output.is_terminal and output.width < NARROW:
        return Listing(NARROW_HEADER, partial(_to_narrow_row, now=now), _to_json, _fingerprint, NOTHING)
    return Listing(HEADER, _to_row, _to_json, _fingerprint, NOTHING)


def _fingerprint(group: Group) -> str:
    return group.fingerprint
