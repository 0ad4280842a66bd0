"""`queue:monitor`: how full the queues are, who serves them, and whether a threshold is crossed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from queuectl.commands.addresses import Address, doubt, split_list
from queuectl.commands.exit_codes import THRESHOLD
from queuectl.commands.options import Json
from queuectl.commands.output import Output
from queuectl.commands.reach import Answers, ask, places
from queuectl.commands.seen import Seen, every_queue, look_at, names, to_json
from queuectl.commands.session import Session
from queuectl.commands.text import leader, safe
from queuectl.commands.times import ago, seconds
from queuectl.drivers.contract import Driver
from queuectl.drivers.control import Pause

FULL = 1000
"""Artisan's default for --max: it colours the status, but only a threshold that was asked for changes the exit code."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    size: int | None
    age: float | None

    def crossed(self, seen: Seen) -> bool:
        too_many = self.size is not None and seen.counts.size >= self.size
        return too_many or (self.age is not None and seen.waited is not None and seen.waited >= self.age)


def monitor(
    context: typer.Context,
    queues: Annotated[
        str, typer.Argument(metavar="QUEUES", help="[connection:]queue, comma-separated; all if left out.")
    ] = "",
    max_: Annotated[
        int | None, typer.Option("--max", metavar="N", min=0, help="Alert at this many jobs.", show_default=False)
    ] = None,
    max_age: Annotated[str, typer.Option("--max-age", metavar="TIME", help="Alert when a job waits so long: 5m.")] = "",
    as_json: Json = False,
) -> int:
    """Show size, oldest wait and living workers of queues. Exit 4 if a given threshold is crossed."""
    session = Session.of(context)
    asked = Thresholds(max_, seconds(max_age, "--max-age") if max_age else None)
    answers = _look(session, queues)
    found = [queue for one in answers.given.values() for queue in one]
    shown = Thresholds(FULL if max_ is None else max_, asked.age)
    if as_json:
        session.output.json([to_json(queue, alert=shown.crossed(queue)) for queue in found])
    else:
        _print(session.output, found, shown)
    return THRESHOLD if any(map(asked.crossed, found)) else answers.exit_code


def _look(session: Session, queues: str) -> Answers[list[Seen]]:
    now = session.app.clock.now
    named = split_list(queues)
    if not named:
        return ask(session, places(session), lambda name, driver: list(every_queue(driver, now)))
    wanted: dict[str, list[str]] = {}
    for words in named:
        address = Address.parse(words, session.app.connection_names)
        wanted.setdefault(address.connection or session.config.default, []).append(address.queue)

    def look(name: str, driver: Driver) -> list[Seen]:
        found = list(look_at(driver, wanted[name], driver.counts(wanted[name]), driver.control.beats(), now))
        _doubt(session.output, driver, found)
        return found

    return ask(session, wanted, look)


def _doubt(output: Output, driver: Driver, found: list[Seen]) -> None:
    empty = [one.queue for one in found if not one.counts.size and not one.workers]
    known = names(driver.counts(), driver.control.beats()) if empty else []
    for sentence in (doubt(queue, known) for queue in empty):
        if sentence:
            output.warn(sentence)


def _print(output: Output, found: list[Seen], thresholds: Thresholds) -> None:
    if not found:
        output.info("No queue holds a job, and no worker is alive.")
        return
    output.line()
    output.line(leader("Queue name", "Size / Status", output.width))
    for queue in found:
        output.line()
        _print_queue(output, queue, alert=thresholds.crossed(queue))
    output.line()


def _print_queue(output: Output, seen: Seen, *, alert: bool) -> None:
    status = output.style("ALERT", "yellow", "bold") if alert else output.style("OK", "green", "bold")
    name, counts = f"[{safe(seen.connection)}] {safe(seen.queue)}", seen.counts
    details = (
        ("Pending jobs", str(counts.pending)),
        ("Delayed jobs", str(counts.delayed)),
        ("Reserved jobs", str(counts.reserved)),
        ("Oldest pending job", "N/A" if seen.waited is None else ago(seen.waited)),
        ("Live workers", str(seen.workers)),
    )
    output.line(leader(name, f"[{counts.size}] {status}", output.width))
    for left, right in details:
        output.line(leader(left, right, output.width))
    if seen.pause:
        output.line(leader("Paused", safe(_pause(seen.pause)), output.width))


def _pause(pause: Pause) -> str:
    """The reason, and whoever gave it."""
    by = f"by {pause.by}" if pause.by else ""
    return f"{pause.reason} ({by})" if pause.reason and by else pause.reason or by or "yes"
