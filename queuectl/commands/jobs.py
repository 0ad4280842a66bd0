"""`jobs`: what can be dispatched, with fields and settings."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from queuectl.commands.exit_codes import DONE
from queuectl.commands.options import Json
from queuectl.commands.session import Session

if TYPE_CHECKING:
    from queuectl.app import App
    from queuectl.jobs.registry import Registry

HEADER = ("JOB", "ARGUMENTS", "SETTINGS", "WRITTEN IN")


def jobs(context: typer.Context, as_json: Json = False) -> int:
    """List the jobs that can be dispatched. Imports the application."""
    session = Session.of(context)
    found = [_describe(session.app, session.app.registry, name) for name in session.app.registry.names()]
    if as_json:
        session.output.json(found)
    else:
        session.output.table(HEADER, [_row(job) for job in found])
    return DONE


def _describe(app: App, registry: Registry, name: str) -> dict[str, Any]:
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
        "has_failed_hook": has_failed_hook(cls),
        "place": place_of(cls),
        "summary": (inspect.getdoc(cls) or "").partition("\n")[0],
    }


def _type_name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")


def _row(job: dict[str, Any]) -> tuple[str, ...]:
    arguments = (
        f"{'' if one['required'] else '['}{one['name']}: {one['type']}{'' if one['required'] else ']'}"
        for one in job["arguments"]
    )
    settings = ("queue", "connection", "tries", "backoff", "timeout", "max_exceptions", "fail_on_timeout")
    shown = (f"{key}={_shown(job[key])}" for key in settings if job[key] is not None)
    return (job["name"], ", ".join(arguments) or "-", " ".join(shown) or "-", job["place"])


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
