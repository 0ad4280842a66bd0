"""`explain`: why a job does not run, or why a queue stands still."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Annotated

import typer

from queuectl.commands.addresses import Address, chosen_connection, doubt, known_queues
from queuectl.commands.exit_codes import DONE, FAILED
from queuectl.commands.explained import Explained, of_failure, of_job, of_queue
from queuectl.commands.failed_stores import reachable
from queuectl.commands.options import Connection, Json
from queuectl.commands.output import Output
from queuectl.commands.queued import reachable_queues
from queuectl.commands.session import Session
from queuectl.commands.text import padded, safe
from queuectl.errors import UsageError
from queuectl.jobs.masking import mask

NOT_FOUND = "Nothing is known of a job [{}]."
NO_TRACE = "Jobs that are done leave no trace. `queuectl audit` lists what operators removed."
LABEL = 9
"""Cells of the words on the left."""
LONGEST_LINE = 100


def explain(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="A uuid, or a short id.", show_default=False)] = "",
    queue: Annotated[
        str, typer.Option("--queue", metavar="[CONNECTION:]QUEUE", help="Why nothing of this queue runs.")
    ] = "",
    connection: Connection = "",
    as_json: Json = False,
) -> int:
    """Say why a job does not run, or nothing of a queue does, and what to do about it."""
    session = Session.of(context)
    if bool(key) == bool(queue):
        raise UsageError("Explain what? Give the id of a job, or --queue NAME.")
    found, missed = _of_key(session, key, connection) if key else (_of_queue(session, queue, connection), DONE)
    if found is None:
        session.output.error(NOT_FOUND.format(key), NO_TRACE)
        return FAILED
    if as_json:
        session.output.json(found.to_json())
    else:
        _print(session.output, found)
    return missed


def _of_key(session: Session, key: str, connection: str) -> tuple[Explained | None, int]:
    queues, missed = reachable_queues(session, connection)
    job = queues.find(key)
    if job is not None:
        return of_job(session, job), missed
    if not session.app.store_names:
        return None, missed
    failed = reachable(session, connection)[0].find(key)
    return (None if failed is None else of_failure(failed, session.app.clock.now())), missed


def _of_queue(session: Session, words: str, connection: str) -> Explained:
    address = Address.parse(words, session.app.connection_names)
    driver = session.app.driver(chosen_connection(session.app, address.connection or connection))
    sentence = doubt(address.queue, known_queues(driver))
    if sentence:
        session.output.warn(sentence)
    return of_queue(session, driver, address.queue)


def _print(output: Output, found: Explained) -> None:
    for label, text in found.lines:
        output.line(_labelled(output, label, safe(text)))
    for number, reason in enumerate(found.reasons):
        first, *others = _wrapped(output, safe(mask(reason.text)))
        output.line()
        output.line(_labelled(output, "Also" if number else "Why", first))
        output.lines(" " * LABEL + line for line in others)
        if reason.fix:
            output.line(_labelled(output, "Do", output.style(safe(reason.fix), "cyan")))


def _labelled(output: Output, label: str, text: str) -> str:
    return f"{output.style(padded(label, LABEL), 'bold')}{text}"


def _wrapped(output: Output, text: str) -> Iterator[str]:
    """In lines as long as people read; whole where no terminal breaks it."""
    if not output.is_terminal:
        return iter([text])
    room = max(min(output.width, LONGEST_LINE) - LABEL, LABEL)
    return iter(textwrap.wrap(text, room, break_on_hyphens=False, break_long_words=False) or [""])
