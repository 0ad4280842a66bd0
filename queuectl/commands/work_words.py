"""The command line of a worker, for a file that starts it: the options of `work`, taken from `work` itself."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from queuectl.commands.addresses import chosen_connection
from queuectl.commands.times import seconds
from queuectl.commands.work import queues_of, steps, work
from queuectl.errors import ConfigurationError

if TYPE_CHECKING:
    from queuectl.commands.session import Session
    from queuectl.jobs.limits import Settings

_NOT_PASSED = frozenset(
    (
        "context",
        "name",
        "once",
        "stop_when_empty",
        "stop_when_empty_for",
        "delay",
        "force",
        "as_json",
        "listen",
        "daemon",
    )
)
"""What a worker that is kept running has no use for, and what means something else here."""
_ALWAYS = {"sleep": "3", "tries": 3, "max_time": "3600"}
"""Written whether given or not, with their defaults here: the line that Laravel's users know."""
_TIMES = ("sleep", "rest", "max_time", "timeout", "kill_after", "max_downtime", "grace")


def parameters() -> list[inspect.Parameter]:
    """The parameters of `work` that are passed on, with their help."""
    return [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=_ALWAYS.get(name, parameter.default))
        for name, parameter in inspect.signature(work, eval_str=True).parameters.items()
        if name not in _NOT_PASSED
    ]


def words(session: Session, given: Mapping[str, Any]) -> list[str]:
    """What follows `work` to mean these values; `UsageError` for one that `work` would refuse."""
    _check(session, given)
    defaults = inspect.signature(work).parameters
    ordered = dict.fromkeys(("connection", "queue", *_ALWAYS, *given))
    chosen = [name for name in ordered if name in _ALWAYS or given[name] != defaults[name].default]
    return [given[name] if name == "connection" else f"{_option(name)}={given[name]}" for name in chosen]


def _check(session: Session, given: Mapping[str, Any]) -> None:
    queues_of(session, chosen_connection(session.app, given["connection"]), given["queue"])
    for name in _TIMES:
        if given[name]:
            seconds(given[name], _option(name))
    steps(given["backoff"], "--backoff")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def stop_wait(session: Session, given: Mapping[str, Any]) -> int:
    """Seconds that a worker of these options may take to stop. Without a grace its jobs decide: they are imported."""
    from queuectl.deployment.stopping import bounded_stop, longest_stop, time_limits

    kill_after = seconds(given["kill_after"])
    if given["grace"]:
        return bounded_stop(seconds(given["grace"]), kill_after)
    return longest_stop(time_limits(_declared(session), math.ceil(seconds(given["timeout"]))), kill_after)


def _declared(session: Session) -> dict[str, Settings]:
    try:
        with session.output.to_itself():
            return {name: found.settings for name, found in session.app.registry.declarations().items()}
    except (ConfigurationError, ImportError) as error:
        raise ConfigurationError(
            str(error),
            hint="The jobs are asked how long they may take. With --stopwaitsecs or --grace they are not needed.",
        ) from error
