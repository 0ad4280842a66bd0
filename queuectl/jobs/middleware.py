"""Middleware: what stands around a job's `handle`, as callables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from queuectl.errors import JobDefinitionError

if TYPE_CHECKING:
    from queuectl.jobs.definition import Job

Middleware = Callable[[Any, Callable[[], Any]], Any]
"""Called with the job and with what goes on: the next middleware, at last `handle`. It returns what that returns.

One that returns without going on ends the run there: as done, unless it had the job released or failed before. What it
raises, the job has raised. An `async` one, whose way on is to be awaited, can stand around an `async def handle` only.
"""


def is_async(layer: Middleware) -> bool:
    """Whether its way on is to be awaited."""
    return inspect.iscoroutinefunction(layer) or inspect.iscoroutinefunction(getattr(layer, "__call__", None))  # noqa: B004  # an object's own


def declared_middleware(job: Job) -> Sequence[Middleware]:
    """What the job's class names, or what its method `middleware` gives for this one, outermost first."""
    named: Any = job.middleware
    found = named() if callable(named) else named
    if not is_middleware(found):
        raise JobDefinitionError(
            f"{type(job).__name__}.middleware must be callables that take the job and what goes on, not {found!r}."
        )
    return tuple(found)


def is_middleware(value: Any) -> bool:
    """Whether it is a sequence of callables."""
    return isinstance(value, Sequence) and not isinstance(value, str) and all(map(callable, value))
