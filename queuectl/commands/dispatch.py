"""`dispatch`: put a job on its way from a shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from queuectl.commands.addresses import chosen_connection
from queuectl.commands.exit_codes import DONE
from queuectl.commands.options import Json
from queuectl.commands.session import Session
from queuectl.commands.times import seconds
from queuectl.commands.waiting import Patience, timeout_of
from queuectl.errors import JobFailed, QueuectlError, UsageError
from queuectl.jobs.payload import check_queue_name

if TYPE_CHECKING:
    from queuectl.jobs.definition import Job
    from queuectl.jobs.pending import Destination

T = TypeVar("T")


def dispatch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A job that `queuectl jobs` lists.")],
    arguments: Annotated[
        str, typer.Argument(metavar="JSON", help="An object of arguments by name, or a list by position.")
    ] = "",
    queue: Annotated[str, typer.Option("--queue", metavar="NAME")] = "",
    connection: Annotated[str, typer.Option("--connection", metavar="NAME")] = "",
    delay: Annotated[str, typer.Option("--delay", metavar="TIME", help="Hold it back: 90, 10m, 2h.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Until it is done: exit 0, or 1 if it failed for good.")] = False,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="With --wait: exit 3 after so long.")] = "",
    as_json: Json = False,
) -> int:
    """Put a job on its way and print its uuid. On `sync` it runs here and now."""
    from queuectl.jobs.arguments import from_data
    from queuectl.jobs.pending import Destination

    session = Session.of(context)
    if timeout and not wait:
        raise UsageError("--timeout goes with --wait.")
    limit = timeout_of(timeout)
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
        job = from_data(session.app.registry.get(name), given)
    if wait:
        return _and_wait(session, job, to, name=name, timeout=limit, as_json=as_json)
    uuid = _sent(session, lambda: session.app.dispatcher.dispatch([job], to)[0])
    if as_json:
        session.output.json({"uuid": uuid, "job": name})
    else:
        session.output.line(uuid)
    return DONE


def _sent(session: Session, dispatch: Callable[[], T]) -> T:
    """On `sync` the job runs in this call, and what it raises is the job's failure, not ours."""
    try:
        with session.output.to_itself():
            return dispatch()
    except (QueuectlError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise JobFailed(f"The job failed: {type(error).__name__}: {error}") from error


def _and_wait(session: Session, job: Job, to: Destination, *, name: str, timeout: float | None, as_json: bool) -> int:
    """As `dispatch`, and then until its end; the uuid is told before."""
    from queuectl.awaiting import new_watch
    from queuectl.commands.dispatch_wait import Seen, see_through, tell

    watch, patience = new_watch(), Patience(timeout)
    sent = _sent(session, lambda: session.app.dispatcher.dispatch_watched(job, to, watch))
    if not as_json:
        session.output.line(sent.uuid)
    seen = Seen(sent.uuid, name, sent.driver.name, "done", patience.waited)
    if not sent.driver.immediate:
        awaited = session.app.awaited(watch, session.output.warn)
        awaited.expect(sent.driver, [sent.uuid])
        seen = see_through(session, awaited, sent, job=name, patience=patience)
    if as_json:
        session.output.json(seen.to_json())
    tell(session, seen)
    return seen.exit_code


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
