"""`queue:pause` and `queue:resume`: marks that workers read every second."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from queuectl.commands.addresses import Address, doubt, known_queues
from queuectl.commands.operator import operator
from queuectl.commands.reach import Answers, ask, stores
from queuectl.commands.recording import Recording
from queuectl.commands.session import Session
from queuectl.commands.times import seconds
from queuectl.drivers.contract import Driver
from queuectl.drivers.control import EVERY_QUEUE, Pause
from queuectl.errors import UsageError

Queue = Annotated[str, typer.Argument(metavar="[CONNECTION:]QUEUE", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every queue of every connection.")]
EVERYWHERE = "Job processing on all queues across all connections has been {}."
ON_QUEUE = "Job processing on queue [{}:{}] has been {}."


def pause(
    context: typer.Context,
    queue: Queue = "",
    everything: All = False,
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="Resume by itself: 90, 10m, 2h.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Shown to whoever asks.")] = "",
) -> int:
    """Let workers leave a queue alone; running jobs finish.

    Without a connection the queue is paused on every connection that is configured.
    """
    session = Session.of(context)
    ttl = seconds(duration, "--for") if duration else None
    if ttl == 0:
        raise UsageError("--for: a pause of no time is none. Leave it out to pause until `queuectl resume`.")
    now = session.app.clock.now()
    mark = Pause(
        reason=reason, since=now, until=None if ttl is None else now + ttl, by=operator(session.output.environment)
    )
    address = _address(session, queue, everything)

    def put(name: str, driver: Driver) -> str:
        driver.control.pause(address.queue, mark, ttl=ttl)
        recording.add(driver)
        return "" if everything else doubt(address.queue, known_queues(driver))

    with Recording(session, "pause") as recording:
        answers = ask(session, _names(session, address), put)
    _report(session, answers, address, "paused")
    for sentence in dict.fromkeys(filter(None, answers.given.values())):
        session.output.warn(sentence)
    return answers.exit_code


def resume(context: typer.Context, queue: Queue = "", everything: All = False) -> int:
    """Let workers take a paused queue again. `--all` lifts a pause of everything, not those of single queues."""
    session = Session.of(context)
    address = _address(session, queue, everything)

    def lift(name: str, driver: Driver) -> list[str]:
        recording.add(driver, int(driver.control.resume(address.queue)))
        return sorted(driver.control.marks().paused)

    with Recording(session, "resume") as recording:
        answers = ask(session, _names(session, address), lift)
    _report(session, answers, address, "resumed")
    for name, paused in answers.given.items():
        if paused:
            what = ", ".join("every queue" if one == EVERY_QUEUE else one for one in paused)
            session.output.info(f"Still paused on [{name}]: {what}.")
    return answers.exit_code


def _address(session: Session, queue: str, everything: bool) -> Address:
    if everything and queue:
        raise UsageError("Give a queue or --all, not both.")
    if everything:
        return Address(None, EVERY_QUEUE)
    if not queue:
        raise UsageError("A queue name is required unless the --all option is used.")
    return Address.parse(queue, session.app.connection_names)


def _names(session: Session, address: Address) -> list[str]:
    return stores(session, address.connection)


def _report(session: Session, answers: Answers[Any], address: Address, what: str) -> None:
    if address.queue == EVERY_QUEUE and answers.given:
        session.output.info(EVERYWHERE.format(what))
        return
    for name in answers.given:
        session.output.info(ON_QUEUE.format(name, address.queue, what))
