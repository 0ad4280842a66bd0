"""How often and how long a job may run: one rule for who decides it, one value for what was decided."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

from queuectl.durations import seconds
from queuectl.errors import UsageError
from queuectl.jobs.envelope import Envelope

T = TypeVar("T")
_RATE = re.compile(r"\s*(\d{1,9})\s*/\s*(\S.*)")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many jobs in so many seconds."""

    allow: int
    per: float

    @classmethod
    def from_words(cls, words: str) -> Rate:
        """`100/m`, `10/30s`, `1/s`; `UsageError` for what is none."""
        found = _RATE.fullmatch(words)
        if found is None or not int(found[1]):
            raise UsageError(f"{words!r} is no rate: a number of jobs and a time, as in 100/m or 10/30s.")
        per = seconds(found[2] if found[2][0].isdigit() else f"1{found[2]}", "rate")
        if not per:
            raise UsageError(f"{words!r} is no rate: its time is nothing.")
        return cls(int(found[1]), per)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a job class declares; None where it leaves a setting to the worker's flags."""

    tries: int | None = None
    backoff: tuple[int, ...] | None = None
    timeout: int | None = None
    max_exceptions: int | None = None
    fail_on_timeout: bool | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run, resolved."""

    tries: int = 1
    """0: no limit."""
    backoff: tuple[int, ...] = (0,)
    """Seconds before attempt 2, 3, …; the last step repeats."""
    timeout: int = 60
    """Seconds; 0: none."""
    max_exceptions: int | None = None
    fail_on_timeout: bool = False
    retry_until: float | None = None
    """Seconds since the epoch; replaces `tries` completely (as in Laravel)."""

    def pause_after(self, attempts: int) -> int:
        """Seconds to wait after this many attempts."""
        if not self.backoff:
            return 0
        return self.backoff[min(max(attempts, 1), len(self.backoff)) - 1]

    def used_up_before(self, attempts: int, now: float) -> bool:
        """May the attempt that has this number not even start?"""
        if self.retry_until is not None:
            return now > self.retry_until
        return self.tries > 0 and attempts > self.tries

    def used_up_after(self, attempts: int, now: float) -> bool:
        """Was the attempt that has this number the last one?"""
        if self.retry_until is not None:
            return now >= self.retry_until
        return self.tries > 0 and attempts >= self.tries


def resolve(envelope: Envelope, declared: Settings, flags: Limits) -> Limits:
    """The payload decides over the class, the class over the worker's flags."""
    return Limits(
        tries=_first(envelope.tries, declared.tries, flags.tries),
        backoff=_first(envelope.backoff, declared.backoff, flags.backoff),
        timeout=_first(envelope.timeout, declared.timeout, flags.timeout),
        max_exceptions=_first(envelope.max_exceptions, declared.max_exceptions, flags.max_exceptions),
        fail_on_timeout=_first(envelope.fail_on_timeout, declared.fail_on_timeout, flags.fail_on_timeout),
        retry_until=envelope.retry_until,
    )


def _first(payload: T | None, declared: T | None, flag: T) -> T:
    if payload is not None:
        return payload
    return flag if declared is None else declared
