"""`about`: what is installed, configured and reachable."""

from __future__ import annotations

import platform
from typing import Any

import typer

from queuectl.commands.exit_codes import DONE
from queuectl.commands.options import Json
from queuectl.commands.output import Output
from queuectl.commands.session import Session
from queuectl.commands.text import leader, safe
from queuectl.commands.version import version
from queuectl.errors import QueuectlError
from queuectl.jobs.masking import mask

Facts = dict[str, str]


def about(context: typer.Context, as_json: Json = False) -> int:
    """Say what is installed and configured, and whether each connection answers."""
    session = Session.of(context)
    sections = {"queuectl": _installation(session), **{name: _connection(session, name) for name in _names(session)}}
    if as_json:
        own, *rest = sections.items()
        session.output.json({**own[1], "connections": dict(rest)})
    else:
        _print(session.output, sections)
    return DONE


def _names(session: Session) -> list[str]:
    return list(dict.fromkeys([session.config.default, *session.config.mentioned]))


def _installation(session: Session) -> Facts:
    config = session.config
    return {
        "version": version(),
        "python": platform.python_version(),
        "config_file": str(config.path or "none"),
        "root": str(config.root),
        "default": config.default,
        "jobs": ", ".join(config.jobs) or "none",
        "failed_jobs": config.failed_connection or "with their queue",
        "log": str(config.log_file or "stderr"),
    }


def _connection(session: Session, name: str) -> Facts:
    """The facts of one connection; why it does not answer, if it does not."""
    connection = session.app.connection(name)
    facts = {"driver": connection.driver, "queue": connection.queue}
    try:
        driver = session.app.driver(name)
        facts["place"] = driver.place
        driver.check()
        return {**facts, "state": "reachable", **driver.about()}
    except QueuectlError as error:
        return {**facts, "state": mask(f"{error} {error.hint or ''}".strip())}


def _print(output: Output, sections: dict[str, Any]) -> None:
    for title, facts in sections.items():
        output.line()
        output.line(f"  {output.style(safe(title), 'green', 'bold')}")
        for name, value in facts.items():
            output.line(leader(name.replace("_", " ").capitalize(), safe(value), output.width))
    output.line()
