"""What differs between two versions of the contracts, and what each difference means for jobs on their way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from queuectl.contracts.contract import Contract, Field, words_of
from queuectl.contracts.widening import accepts


class Kind(Enum):
    """What was done to a contract."""

    JOB_REMOVED = "job_removed"
    JOB_ADDED = "job_added"
    ARGUMENT_REMOVED = "argument_removed"
    ARGUMENT_ADDED = "argument_added"
    ARGUMENT_REQUIRED = "argument_required"
    ARGUMENT_OPTIONAL = "argument_optional"
    TYPE_CHANGED = "type_changed"
    ORDER_CHANGED = "order_changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    job: str
    argument: str
    """Empty where the job itself is meant."""
    kind: Kind
    breaks: bool
    """May jobs that wait be refused by the new code, or mean something else to it?"""
    text: str
    """What follows, in a sentence."""

    @property
    def subject(self) -> str:
        return f"{self.job}.{self.argument}" if self.argument else self.job


def changes(former: Mapping[str, Contract], now: Mapping[str, Contract]) -> list[Change]:
    """From *former* to *now*, by job, those of a job in the order of its arguments."""
    found: list[Change] = []
    for job in sorted(former.keys() | now.keys()):
        if job not in now:
            found.append(_removed(job))
        elif job not in former:
            found.append(Change(job, "", Kind.JOB_ADDED, False, "is new. Workers of the old code put it off."))
        else:
            found += _between(job, former[job], now[job])
    return found


def _removed(job: str) -> Change:
    text = "is gone. Jobs of that name are put off for `unknown_job_grace`, then they fail."
    return Change(job, "", Kind.JOB_REMOVED, True, text)


def _between(job: str, former: Contract, now: Contract) -> Iterator[Change]:
    old, new = former.by_name, now.by_name
    for name in old.keys() - new.keys():
        yield Change(job, name, Kind.ARGUMENT_REMOVED, True, "is gone. Payloads that carry it are refused.")
    for name, field in new.items():
        if name not in old:
            yield _added(job, field)
        else:
            yield from _of_one(job, old[name], field)
    if kept := [name for name in former.names if name in new]:
        yield from _moved(job, kept, now.names)


def _added(job: str, field: Field) -> Change:
    if field.required:
        text = "is new, and there is no default. Payloads that were written without it are refused."
        return Change(job, field.name, Kind.ARGUMENT_ADDED, True, text)
    text = "is new. Workers of the old code refuse it: renew them before what dispatches."
    return Change(job, field.name, Kind.ARGUMENT_ADDED, False, text)


def _of_one(job: str, old: Field, new: Field) -> Iterator[Change]:
    if new.required and not old.required:
        text = "has no default any more. Payloads that leave it out, as other programs' may, are refused."
        yield Change(job, new.name, Kind.ARGUMENT_REQUIRED, True, text)
    if old.required and not new.required:
        yield Change(job, new.name, Kind.ARGUMENT_OPTIONAL, False, "has a default now.")
    if old.schema != new.schema:
        yield _retyped(job, old, new)


def _retyped(job: str, old: Field, new: Field) -> Change:
    before, after = words_of(old.schema), words_of(new.schema)
    what = f"was {before}, is {after}." if before != after else f"has other rules ({after})."
    if accepts(new.schema, old.schema):
        text = f"{what} What was valid still is; workers of the old code may refuse what is valid now."
        return Change(job, new.name, Kind.TYPE_CHANGED, False, text)
    return Change(job, new.name, Kind.TYPE_CHANGED, True, f"{what} Values that were valid may be refused.")


def _moved(job: str, kept: list[str], names: list[str]) -> Iterator[Change]:
    """Other programs may give arguments by their position."""
    if names[: len(kept)] != kept:
        text = (
            f"has its arguments in another order ({', '.join(names)}). Lists that PHP pushed mean something else now."
        )
        yield Change(job, "", Kind.ORDER_CHANGED, True, text)
