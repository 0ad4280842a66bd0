"""`queue:restart`: workers finish their jobs and stop, so that their supervisor starts them on the new code."""

from __future__ import annotations

import secrets

import typer

from queuectl.commands.reach import ask, stores
from queuectl.commands.recording import Recording
from queuectl.commands.session import Session
from queuectl.drivers.contract import Driver


def restart(context: typer.Context) -> int:
    """Let all workers of all connections finish their jobs and stop; their supervisor starts them again."""
    session = Session.of(context)
    mark = f"{session.app.clock.now():.3f}-{secrets.token_hex(4)}"

    def put(name: str, driver: Driver) -> None:
        driver.control.ask_restart(mark)
        recording.add(driver)

    with Recording(session, "restart") as recording:
        answers = ask(session, stores(session), put)
    if answers.given:
        session.output.info("Broadcasting queue restart signal.")
    return answers.exit_code
