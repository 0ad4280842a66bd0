"""`dispatch`: put a job on its way from a shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from queuectl.commands.addresses import chosen_connection
from queuectl.commands.exit_codes import DONE
from queuectl.commands.options import Json
from queuectl.commands.session import Session
from queuectl.commands.times import seconds
from queuectl.errors import JobFailed, QueuectlError, UsageError
from queuectl.jobs.payload import check_queue_name

if TYPE_CHECKING:
    from queuectl.jobs.definition import Job
    from queuectl.jobs.pending import Destination


def dispatch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A job that `queuectl jobs` lists.")],
    arguments: Annotated[
        str, typer.Argument(metavar="JSON", help="An object of arguments by name, or a list by position.")
    ] = "",
    queue: Annotated[str, typer.Option("--queue", metavar="NAME")] = "",
    connection: Annotated[str, typer.Option("--connection", metavar="NAME")] = "",
    delay: Annotated[str, typer.Option("--delay", metavar="TIME", help="Hold it back: 90, 10m, 2h.")] = "",
    as_json: Json = False,
) -> int:
    """Put a job on its way and print its uuid. On `sync` it runs here and now."""
    from queuectl.jobs.arguments import from_data
    from queuectl.jobs.pending import Destination

    session = Session.of(context)
    if connection:
        chosen_connection(session.app, connection)
    given = parse(arguments)
    with session.output.to_itself():
        session.app.bind()
        to = Destination(
            connection=connection or None,
            queue=check_queue_name(queue) if queue else None,
            delay=seconds(delay, "--delay") if delay else None,
        )
        uuid = _send(session, from_data(session.app.registry.get(name), given), to)
    if as_json:
        session.output.json({"uuid": uuid, "job": name})
    else:
        session.output.line(uuid)
    return DONE


def _send(session: Session, job: Job, to: Destination) -> str:
    """On `sync` the job runs in this call, and what it raises is the job's failure, not ours."""
    try:
        return session.app.dispatcher.dispatch([job], to)[0]
    except (QueuectlError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise JobFailed(f"The job failed: {type(error).__name__}: {error}") from error


def parse(words: str) -> Any:
    """The arguments; `UsageError` that shows where the text stops being JSON. NaN and infinity are none."""
    if not words.strip():
        return None
    try:
        found = json.loads(words, parse_constant=_refuse_constant)
    except ValueError as error:
        raise UsageError(f"The arguments are not JSON: {error}.", hint="Quote them: '{\"user_id\": 1}'.") from None
    except RecursionError:
        raise UsageError("The arguments are nested too deeply.") from None
    if not isinstance(found, (dict, list)):
        raise UsageError("The arguments are JSON, but neither an object nor a list.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
