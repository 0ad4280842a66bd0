"""`queue:monitor`: how full the queues are, who serves them, and whether a threshold is crossed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from queuectl.commands.addresses import Address, doubt, split_list
from queuectl.commands.exit_codes import THRESHOLD
from queuectl.commands.options import Json
from queuectl.commands.output import Output
from queuectl.commands.reach import Answers, ask, places
from queuectl.commands.session import Session
from queuectl.commands.text import leader, safe
from queuectl.commands.times import ago, iso, seconds
from queuectl.drivers.contract import Counts, Driver
from queuectl.drivers.control import Beat, Pause

FULL = 1000
"""Artisan's default for --max: it colours the status, but only a threshold that was asked for changes the exit code."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One queue as it is now."""

    connection: str
    queue: str
    counts: Counts
    workers: int
    pause: Pause | None
    waited: float | None
    """Seconds that the oldest ready job has been waiting."""


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
    found = [seen for one in answers.given.values() for seen in one]
    shown = Thresholds(FULL if max_ is None else max_, asked.age)
    if as_json:
        session.output.json([_to_json(seen, alert=shown.crossed(seen)) for seen in found])
    else:
        _print(session.output, found, shown)
    return THRESHOLD if any(map(asked.crossed, found)) else answers.exit_code


def _look(session: Session, queues: str) -> Answers[list[Seen]]:
    now = session.app.clock.now
    named = split_list(queues)
    if not named:
        return ask(session, places(session), lambda name, driver: list(_all(driver, now)))
    wanted: dict[str, list[str]] = {}
    for words in named:
        address = Address.parse(words, session.app.connection_names)
        wanted.setdefault(address.connection or session.config.default, []).append(address.queue)

    def look(name: str, driver: Driver) -> list[Seen]:
        found = list(_seen(driver, wanted[name], driver.counts(wanted[name]), driver.control.beats(), now))
        _doubt(session.output, driver, found)
        return found

    return ask(session, wanted, look)


def _all(driver: Driver, now: Callable[[], float]) -> Iterator[Seen]:
    """Every queue that holds a job or has a worker."""
    counts, beats = driver.counts(), driver.control.beats()  # once: to count a million jobs takes its time
    return _seen(driver, _names(counts, beats), counts, beats, now)


def _names(counts: Iterable[str], beats: Iterable[Beat]) -> list[str]:
    return sorted({*counts, *(queue for beat in beats for queue in beat.queues)})


def _doubt(output: Output, driver: Driver, found: list[Seen]) -> None:
    empty = [seen.queue for seen in found if not seen.counts.size and not seen.workers]
    known = _names(driver.counts(), driver.control.beats()) if empty else []
    for sentence in (doubt(queue, known) for queue in empty):
        if sentence:
            output.warn(sentence)


def _seen(
    driver: Driver,
    queues: Iterable[str],
    counts: Mapping[str, Counts],
    beats: Sequence[Beat],
    now: Callable[[], float],
) -> Iterator[Seen]:
    marks = driver.control.marks()
    for queue in queues:
        found = counts.get(queue, Counts())
        yield Seen(
            connection=driver.name,
            queue=queue,
            counts=found,
            workers=sum(queue in beat.queues for beat in beats),
            pause=marks.paused.get(queue) or marks.paused.get("*"),
            waited=None if found.oldest is None else max(now() - found.oldest, 0.0),
        )


def _to_json(seen: Seen, *, alert: bool) -> dict[str, Any]:
    """Artisan's keys first, then ours."""
    counts = seen.counts
    return {
        "connection": seen.connection,
        "queue": seen.queue,
        "size": counts.size,
        "pending": counts.pending,
        "delayed": counts.delayed,
        "reserved": counts.reserved,
        "oldest_pending": None if counts.oldest is None else int(counts.oldest),
        "status": "ALERT" if alert else "OK",
        "oldest_pending_at": None if counts.oldest is None else iso(counts.oldest),
        "oldest_wait": None if seen.waited is None else round(seen.waited, 3),
        "workers": seen.workers,
        "paused": seen.pause is not None,
        "paused_reason": seen.pause.reason if seen.pause else None,
        "paused_until_at": iso(seen.pause.until) if seen.pause and seen.pause.until is not None else None,
    }


def _print(output: Output, found: list[Seen], thresholds: Thresholds) -> None:
    if not found:
        output.info("No queue holds a job, and no worker is alive.")
        return
    output.line()
    output.line(leader("Queue name", "Size / Status", output.width))
    for seen in found:
        output.line()
        _print_queue(output, seen, alert=thresholds.crossed(seen))
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
        output.line(leader("Paused", safe(seen.pause.reason) or "yes", output.width))
