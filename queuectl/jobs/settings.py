"""The settings of a job class: which there are, what they may be, and the mistakes that can be told from intent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from inspect import isroutine
from operator import is_
from typing import Any, NoReturn, cast

from queuectl.errors import InvalidName, JobDefinitionError, UsageError
from queuectl.jobs.envelope import MAX_TIMEOUT, MAX_TRIES
from queuectl.jobs.limits import Settings
from queuectl.jobs.middleware import is_middleware
from queuectl.jobs.payload import check_queue_name

MAX_DELAY = 10 * 365 * 86_400
"""Seconds; what lies further away than ten years is a mistake."""

OF_RUNS = ("tries", "backoff", "timeout", "max_exceptions", "fail_on_timeout")
"""The settings that are about runs, in the order of `Settings`."""
_CACHE = "_declared"

Delay = float | timedelta | datetime
"""Seconds from now, a span from now, or a moment (a naive one is local time)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What one setting may be."""

    says: str
    accepts: Callable[[Any], bool]


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _is_queue_name(value: Any) -> bool:
    try:
        return isinstance(value, str) and check_queue_name(value) == value
    except InvalidName:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()


def _is_backoff(value: Any) -> bool:
    steps = value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else [value]
    return bool(steps) and all(map(_whole(0, MAX_DELAY), steps))


def _is_span(value: Any) -> bool:
    return not isinstance(value, datetime) and bool(value)


def is_delay(value: Any) -> bool:
    """A moment, or a span of 0 seconds up to ten years."""
    if isinstance(value, datetime):
        return True
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return False
    return 0 <= seconds <= MAX_DELAY


def _is_retry_until(value: Any) -> bool:
    return isroutine(value) or is_delay(value)


SETTINGS: Mapping[str, Setting] = {
    "name": Setting("a text of 1 to 255 printable characters", _is_text),
    "queue": Setting("a queue name", _is_queue_name),
    "connection": Setting("the name of a connection", _is_text),
    "tries": Setting(f"a whole number from 0 (no limit) to {MAX_TRIES}", _whole(0, MAX_TRIES)),
    "backoff": Setting("whole seconds, or a sequence of them such as (10, 30, 60)", _is_backoff),
    "timeout": Setting(f"whole seconds from 0 (none) to {MAX_TIMEOUT}", _whole(0, MAX_TIMEOUT)),
    "fail_on_timeout": Setting("True or False", lambda value: isinstance(value, bool)),
    "max_exceptions": Setting(f"a whole number from 1 to {MAX_TRIES}", _whole(1, MAX_TRIES)),
    "retry_until": Setting("seconds or a timedelta after dispatch, a datetime, or a method", _is_retry_until),
    "delay": Setting("seconds, a timedelta or a datetime, at most ten years away", is_delay),
    "unique": Setting(
        "True, False, or a method that gives a text", lambda value: isinstance(value, bool) or isroutine(value)
    ),
    "unique_for": Setting("seconds or a timedelta, more than none", lambda value: is_delay(value) and _is_span(value)),
    "unique_until": Setting("'done' or 'processing'", lambda value: value in ("done", "processing")),
    "debounce": Setting("seconds or a timedelta, more than none", lambda value: is_delay(value) and _is_span(value)),
    "debounce_key": Setting("a method that gives a text", isroutine),
    "after_commit": Setting("True or False", lambda value: isinstance(value, bool)),
    "middleware": Setting(
        "a method, or a sequence of callables that take the job and what goes on",
        lambda value: isroutine(value) or is_middleware(value),
    ),
}
MISNOMERS = {
    "trys": "tries",
    "retries": "tries",
    "max_tries": "tries",
    "max_retries": "tries",
    "max_attempts": "tries",
    "retry_after": "backoff",
    "retry_delay": "backoff",
    "on_queue": "queue",
    "queue_name": "queue",
    "on_connection": "connection",
    "job_name": "name",
    "middlewares": "middleware",
    "time_limit": "timeout",
}
"""Names of other libraries, and slips too far from the right name to be found by their letters."""


def check_settings(cls: type) -> None:
    """Raise `JobDefinitionError` for what *cls* itself declares wrongly."""
    for name in own_annotations(cls):
        if name in SETTINGS and not is_class_variable(own_annotations(cls)[name]):
            _refuse_annotation(cls, name)
    if getattr(cls, "unique", False) and getattr(cls, "debounce", None) is not None:
        raise JobDefinitionError(
            f"{cls.__name__}: `unique` is for the first of several jobs, `debounce` for the last: choose one."
        )
    for name, value in list(vars(cls).items()):
        if name in SETTINGS:
            check_setting(cls.__name__, name, value)
        elif _could_be_a_slip(cls, name, value):
            _refuse_slip(cls, name, value)


def check_setting(owner: str, name: str, value: Any) -> None:
    """Raise `JobDefinitionError` if *value* is not what the setting *name* may be; None leaves it to the worker."""
    if value is not None and not SETTINGS[name].accepts(value):
        raise JobDefinitionError(f"{owner}.{name} must be {SETTINGS[name].says}, not {value!r}.")


def declared(cls: type) -> Settings:
    """What the class and those it inherits from declare about its runs.

    Checked again where it is not what it was: attributes of a class can be set after its creation.
    """
    values = [getattr(cls, name) for name in OF_RUNS]
    kept = vars(cls).get(_CACHE)
    if kept is not None and all(map(is_, kept[0], values)):
        return cast("Settings", kept[1])
    for name, value in zip(OF_RUNS, values, strict=True):
        check_setting(cls.__name__, name, value)
    tries, backoff, timeout, max_exceptions, fail_on_timeout = values
    found = Settings(tries, _steps(backoff), timeout, max_exceptions, fail_on_timeout)
    if not isinstance(backoff, MutableSequence):
        setattr(cls, _CACHE, (values, found))
    return found


def moment(when: Delay, now: float) -> float:
    """*when* in seconds since the epoch."""
    if isinstance(when, datetime):
        try:
            return when.timestamp()
        except (ValueError, OverflowError):  # a naive one in the first or the last year there is
            raise UsageError(f"{when!r} is no moment that a clock could show.") from None
    return now + (when.total_seconds() if isinstance(when, timedelta) else when)


def seconds_until(when: Delay, now: float) -> float:
    """How far away *when* is; 0 if it has passed, `UsageError` if it is more than ten years away."""
    seconds = max(moment(when, now) - now, 0.0) if isinstance(when, datetime) else moment(when, 0.0)
    if seconds > MAX_DELAY:
        raise UsageError(f"{when!r} is more than ten years away.")
    return seconds


def span(seconds: float | timedelta) -> float:
    """A span in seconds; `UsageError` if it is negative, too long, or no span."""
    if isinstance(seconds, datetime) or not is_delay(seconds):
        raise UsageError(f"A span is 0 seconds to ten years, as seconds or a timedelta, not {seconds!r}.")
    return seconds_until(seconds, 0.0)


def own_annotations(cls: type) -> Mapping[str, Any]:
    found: Mapping[str, Any] = vars(cls).get("__annotations__") or {}
    return found


def is_class_variable(annotation: Any) -> bool:
    """As dataclasses see it: `ClassVar[…]`, written out or as text."""
    return "ClassVar" in (annotation if isinstance(annotation, str) else repr(annotation)).partition("[")[0]


def _steps(backoff: int | Sequence[int] | None) -> tuple[int, ...] | None:
    if backoff is None or isinstance(backoff, int):
        return None if backoff is None else (backoff,)
    return tuple(backoff)


def _could_be_a_slip(cls: type, name: str, value: Any) -> bool:
    """A plain value, neither annotated nor private: only those can be settings with a wrong name."""
    if name.startswith("_") or name in own_annotations(cls):
        return False
    return value is None or isinstance(value, (int, float, str, list, tuple, timedelta, datetime))


def _refuse_slip(cls: type, name: str, value: Any) -> None:
    meant = MISNOMERS.get(name) or next(_near(name), None)
    if meant is not None:
        raise JobDefinitionError(
            f"{cls.__name__}.{name} is no setting of a job. Did you mean `{meant} = {value!r}`? "
            f"If it is a constant of your own, annotate it: `{name}: ClassVar = {value!r}`."
        )


def _near(name: str) -> Iterator[str]:
    """Settings that differ from *name* by case and underscores, one letter too many or too few, or two swapped."""
    letters = _letters(name)
    for setting in SETTINGS:
        target = _letters(setting)
        if target == letters or target in _variants(letters) or letters in _without_one(target):
            yield setting


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _variants(letters: str) -> set[str]:
    swapped = {letters[:i] + letters[i + 1] + letters[i] + letters[i + 2 :] for i in range(len(letters) - 1)}
    return swapped | _without_one(letters)


def _without_one(letters: str) -> set[str]:
    return {letters[:i] + letters[i + 1 :] for i in range(len(letters))}


def _refuse_annotation(cls: type, name: str) -> NoReturn:
    value = vars(cls).get(name)
    written = f"`{name} = {value!r}`" if name in vars(cls) else f"`{name} = …`"
    raise JobDefinitionError(
        f"{cls.__name__}.{name}: an annotation makes an argument, but `{name}` is a setting of every job. "
        f"Write {written} without annotation to set it, or call the argument something else."
    )
