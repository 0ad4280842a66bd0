"""What `drain` says while it waits and when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.commands.times import brief, iso, runtime
from queuectl.draining import Rest, Run
from queuectl.drivers.contract import Driver
from queuectl.drivers.control import EVERY_QUEUE

SHOWN = 10
"""Running jobs that are named; of more the number is enough."""
TOLD_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be drained, and how."""

    driver: Driver
    queues: tuple[str, ...]
    """None of them: all of the connection."""
    emptying: bool
    with_delayed: bool
    ttl: float | None = None
    """Seconds after which the pause ends by itself."""

    @property
    def name(self) -> str:
        return f"[{self.driver.name}] {', '.join(self.queues) or 'all queues'}"

    @property
    def marks(self) -> tuple[str, ...]:
        return self.queues or (EVERY_QUEUE,)

    @property
    def way_back(self) -> str:
        """The commands that let workers go on."""
        if not self.queues:
            return "`queuectl resume --all`"
        return " and ".join(f"`queuectl resume {self.driver.name}:{queue}`" for queue in self.queues)

    def is_done(self, rest: Rest) -> bool:
        waits = rest.pending + (rest.delayed if self.with_delayed else 0)
        return rest.is_still and not (self.emptying and waits)


@dataclass
class Progress:
    """Says now and then what is waited for, if that has changed."""

    session: Session
    order: Order
    said: str = ""
    at: float = -TOLD_EVERY
    warned: bool = False

    def tell(self, rest: Rest, waited: float) -> None:
        words = f"{self.order.name}: waiting for {_awaited(self.order, rest)}."
        if words == self.said or waited < self.at + TOLD_EVERY or self.order.is_done(rest):
            return
        self.said, self.at = words, waited
        self.session.output.info(words)
        if self.order.emptying and not self.warned:
            self.warned = True
            self._warn_of_idle(rest)

    def _warn_of_idle(self, rest: Rest) -> None:
        if rest.pending and not any(_serves(self.order, beat.queues) for beat in self.order.driver.control.beats()):
            self.session.output.warn(f"No worker is alive for {self.order.name}: nothing will empty it.")


def _serves(order: Order, queues: Sequence[str]) -> bool:
    return not order.queues or not set(order.queues).isdisjoint(queues)


def _awaited(order: Order, rest: Rest) -> str:
    parts = [
        plural(len(rest.running), "running job") if rest.running else "",
        f"{plural(len(rest.undecided), 'worker')} to hear of the pause" if rest.undecided else "",
        plural(rest.pending, "ready job") if order.emptying and rest.pending else "",
        plural(rest.delayed, "delayed job") if order.with_delayed and rest.delayed else "",
    ]
    return ", ".join(filter(None, parts)) or "a second look"


def report(session: Session, order: Order, rest: Rest, waited: float, *, as_json: bool) -> None:
    done, output = order.is_done(rest), session.output
    if as_json:
        output.json(_to_json(order, rest, waited))
    elif rest.running:
        output.table(("Job", "Id", "Queue", "Worker", "Since"), [_row(run) for run in rest.running[:SHOWN]])
    if not done:
        output.error(f"{order.name}: after {runtime(waited)} still waiting for {_awaited(order, rest)}.")
    elif order.emptying:
        output.info(f"{order.name}: empty.{_left(rest)}")
    else:
        output.info(f"{order.name}: nothing runs.")
    tell_way_back(session, order)


def _left(rest: Rest) -> str:
    return f" {plural(rest.delayed, 'delayed job')} will become ready later." if rest.delayed else ""


def tell_way_back(session: Session, order: Order) -> None:
    if not order.emptying:
        end = "" if order.ttl is None else f", or for {brief(order.ttl)} at most"
        session.output.info(f"Paused until {order.way_back}{end}.")


def _row(run: Run) -> tuple[str, ...]:
    since = "" if run.since is None else iso(run.since)
    return run.job, run.uuid, run.queue, run.worker or "?", since


def _to_json(order: Order, rest: Rest, waited: float) -> dict[str, Any]:
    return {
        "connection": order.driver.name,
        "queues": list(order.queues) or None,
        "drained": order.is_done(rest),
        "paused": not order.emptying,
        "waited": round(waited, 3),
        "running": [_run_to_json(run) for run in rest.running],
        "undecided": list(rest.undecided),
        **({"pending": rest.pending, "delayed": rest.delayed} if order.emptying else {}),
    }


def _run_to_json(run: Run) -> dict[str, Any]:
    return {
        "job": run.job,
        "uuid": run.uuid,
        "queue": run.queue,
        "worker": run.worker or None,
        "since_at": None if run.since is None else iso(run.since),
    }
