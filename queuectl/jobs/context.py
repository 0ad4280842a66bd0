"""What goes with jobs from who dispatched them: the id of a request, a `traceparent`, a tenant's name.

    with carrying(request_id="7f3a"):
        SendWelcome.dispatch(1)          # and whatever that job dispatches in turn

Inside the job, `carried()["request_id"]` is there again, and stands in every line of its log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import Any

from queuectl.errors import UsageError

MOST, LONGEST = 16, 512
"""Values that are carried, and characters of one: they travel with every job."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_carried: ContextVar[Mapping[str, str]] = ContextVar("queuectl_carried", default=_NOTHING)


def carried() -> Mapping[str, str]:
    """What is carried here: into the jobs that are dispatched, or, inside a job, from who dispatched it."""
    return _carried.get()


def carry(name: str, value: str | None) -> None:
    """Carry this from now on, as long as this context lasts (a request, a task, a job); None drops it.

    Raises `UsageError` for what cannot be carried: a name that is none, a text of more than 512 characters, a
    seventeenth value.
    """
    _carried.set(_checked({**_carried.get(), name: value}))


@contextmanager
def carrying(**values: str) -> Iterator[None]:
    """Carry these within a block, beside what is carried already. Raises `UsageError` as `carry` does."""
    token = _carried.set(_checked({**_carried.get(), **values}))
    try:
        yield
    finally:
        _carried.reset(token)


def begin(values: Mapping[str, str]) -> Token[Mapping[str, str]] | None:
    """Carry these and nothing else, what a job came with, until `end`. No context manager: every job pays for it."""
    return _carried.set(values) if values or _carried.get() else None


def end(token: Token[Mapping[str, str]] | None) -> None:
    if token is not None:
        _carried.reset(token)


def from_payload(found: Any) -> Mapping[str, str]:
    """What a payload carries; whatever nobody could have carried is left out."""
    if not found or not isinstance(found, dict):
        return _NOTHING
    return dict([item for item in found.items() if _fits(*item)][:MOST])


def _checked(values: Mapping[str, str | None]) -> Mapping[str, str]:
    kept = {name: value for name, value in values.items() if value is not None}
    for name, value in kept.items():
        if not _fits(name, value):
            raise UsageError(
                f"{name!r} cannot be carried: a name of letters, digits and . _ - with a text of at most {LONGEST} "
                f"characters can, not {value!r:.80}."
            )
    if len(kept) > MOST:
        raise UsageError(f"No more than {MOST} values are carried with a job: {', '.join(kept)} are {len(kept)}.")
    return kept


def _fits(name: Any, value: Any) -> bool:
    return (
        isinstance(name, str)
        and _NAME.fullmatch(name) is not None
        and isinstance(value, str)
        and len(value) <= LONGEST
        and value.isprintable()
    )
