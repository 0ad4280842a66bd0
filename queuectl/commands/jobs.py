"""`jobs`: what can be dispatched, with fields and settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from queuectl.commands.exit_codes import DONE
from queuectl.commands.options import Json
from queuectl.commands.session import Session
from queuectl.commands.times import iso

if TYPE_CHECKING:
    from queuectl.jobs.definition import Job
    from queuectl.jobs.registry import Registry
    from queuectl.jobs.settings import Delay

HEADER = ("JOB", "ARGUMENTS", "SETTINGS", "WRITTEN IN")
SETTINGS = (
    *("queue", "connection", "tries", "backoff", "timeout", "max_exceptions", "fail_on_timeout"),
    *("retry_until", "delay"),
)


def jobs(context: typer.Context, as_json: Json = False) -> int:
    """List the jobs that can be dispatched. Imports the application."""
    session = Session.of(context)
    with session.output.to_itself():
        registry = session.app.registry
        found = [_describe(registry, name) for name in registry.names()]
    if as_json:
        session.output.json(found)
    else:
        session.output.table(HEADER, [_row(job) for job in found])
    return DONE


def _describe(registry: Registry, name: str) -> dict[str, Any]:
    from queuectl.jobs.definition import has_failed_hook, place_of
    from queuectl.jobs.settings import declared
    from queuectl.jobs.shape import Shape

    cls = registry.get(name)
    return {
        "name": name,
        "arguments": [
            {"name": argument.name, "type": _type_name(argument.type), "required": argument.required}
            for argument in Shape.of(cls).arguments
        ],
        "queue": cls.queue,
        "connection": cls.connection,
        **asdict(declared(cls)),
        "retry_until": _span(cls.retry_until),
        "delay": _span(cls.delay),
        "has_failed_hook": has_failed_hook(cls),
        "place": place_of(cls),
        "summary": _summary(cls),
    }


def _span(when: Delay | Callable[..., Any] | None) -> float | str | None:
    """Seconds, a moment as ISO 8601, or the name of the method that knows."""
    if isinstance(when, datetime):
        return iso(when.timestamp())
    if isinstance(when, timedelta):
        return when.total_seconds()
    return getattr(when, "__name__", "callable") if callable(when) else when


def _summary(cls: type[Job]) -> str:
    """The first line of what its author wrote; dataclasses write one of their own where nobody did."""
    text = inspect.getdoc(cls) or ""
    return "" if text.startswith(f"{cls.__name__}(") else text.partition("\n")[0]


def _type_name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")


def _row(job: dict[str, Any]) -> tuple[str, ...]:
    arguments = (
        f"{'' if one['required'] else '['}{one['name']}: {one['type']}{'' if one['required'] else ']'}"
        for one in job["arguments"]
    )
    shown = (f"{key}={_shown(job[key])}" for key in SETTINGS if job[key] is not None)
    return (job["name"], ", ".join(arguments) or "-", " ".join(shown) or "-", job["place"])


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
