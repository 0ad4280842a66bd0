"""`relay`: carry what outboxes keep to where it is meant to be, now and without a worker."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from queuectl.commands.options import Json
from queuectl.commands.reach import Answers, ask, stores
from queuectl.commands.session import Session
from queuectl.drivers.contract import Driver


def relay(
    context: typer.Context,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", show_default=False)] = "",
    as_json: Json = False,
) -> int:
    """Carry the jobs that wait in the outbox of CONNECTION over to it; of every connection, if none is named."""
    session = Session.of(context)
    names = [name for name in stores(session, connection) if session.app.outbox(name) is not None]
    answers: Answers[int] = ask(session, names, partial(_carry, session)) if names else Answers()
    if as_json:
        session.output.json([{"connection": name, "carried": carried} for name, carried in answers.given.items()])
    for name, carried in answers.given.items():
        session.output.info(f"[{name}] {carried} carried over.")
    if not names:
        session.output.info("No connection has an outbox.")
    return answers.exit_code


def _carry(session: Session, name: str, target: Driver) -> int:
    from queuectl.outbox import OutboxRelay

    outbox = session.app.outbox(name)
    if outbox is None:
        return 0
    relay = OutboxRelay(outbox, target, outbox.queues(), session.output.warn)
    while relay():
        pass
    return relay.carried
