"""`drain`: wait until queues have come to rest, before a deploy or a move."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.addresses import chosen_connection, doubt, known_queues, split_list
from queuectl.commands.drain_report import Order, Progress, report, tell_way_back
from queuectl.commands.exit_codes import DECLINED, DONE
from queuectl.commands.operator import operator
from queuectl.commands.options import Json
from queuectl.commands.recording import Recording
from queuectl.commands.session import Session
from queuectl.commands.waiting import Patience, timeout_of
from queuectl.draining import Emptying, Look, Paused, Rest
from queuectl.drivers.control import Pause
from queuectl.errors import QueuectlError, UsageError
from queuectl.jobs.payload import check_queue_name


def drain(
    context: typer.Context,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", show_default=False)] = "",
    queue: Annotated[str, typer.Option("--queue", metavar="NAMES", help="Comma-separated; all if left out.")] = "",
    empty: Annotated[
        bool, typer.Option("--empty", help="Pause nothing: wait until workers have done all that is ready.")
    ] = False,
    delayed: Annotated[bool, typer.Option("--delayed", help="With --empty: wait for delayed jobs as well.")] = False,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="Exit 3 after so long: 90, 10m.")] = "",
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Resume by itself after so long, should nobody do it.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Shown to whoever asks.")] = "drained",
    as_json: Json = False,
) -> int:
    """Pause queues and wait until no job of theirs runs. They stay paused."""
    session = Session.of(context)
    if delayed and not empty:
        raise UsageError("--delayed goes with --empty: a paused queue keeps its delayed jobs.")
    if empty and duration:
        raise UsageError("--for goes without --empty, which pauses nothing.")
    patience = Patience(timeout_of(timeout))
    found, queues = _addressed(session, connection, split_list(queue))
    driver, ttl = session.app.driver(found), timeout_of(duration, "--for")
    order = Order(driver, queues, emptying=empty, with_delayed=delayed, ttl=ttl)
    if driver.immediate:
        session.output.info(f"[{driver.name}] runs jobs at once and keeps none: there is nothing to drain.")
        return DONE
    _doubt(session, order)
    look = Emptying(driver, order.queues) if empty else _pause(session, order, reason)
    try:
        rest = _wait(session, order, look, patience)
    except (KeyboardInterrupt, QueuectlError):
        tell_way_back(session, order)
        raise
    report(session, order, rest, patience.waited, as_json=as_json)
    return DONE if order.is_done(rest) else DECLINED


def _addressed(session: Session, connection: str, words: list[str]) -> tuple[str, tuple[str, ...]]:
    """Queues may be named with their connection, as everywhere; they have to be of one."""
    known, queues, named = session.app.connection_names, list[str](), {connection} - {""}
    for word in words:
        before, colon, after = word.partition(":")
        is_address = bool(colon) and before in known
        named |= {before} if is_address else set()
        queues.append(check_queue_name(after if is_address else word))
    if len(named) > 1:
        raise UsageError(f"{' and '.join(sorted(named))} are two connections.", hint="Drain one after the other.")
    return chosen_connection(session.app, "".join(named)), tuple(dict.fromkeys(queues))


def _doubt(session: Session, order: Order) -> None:
    known = known_queues(order.driver) if order.queues else set()
    for sentence in filter(None, (doubt(queue, known) for queue in order.queues)):
        session.output.warn(sentence)


def _pause(session: Session, order: Order, reason: str) -> Look:
    began, now, ttl = order.driver.now(), session.app.clock.now(), order.ttl
    mark = Pause(
        reason=reason, since=now, until=None if ttl is None else now + ttl, by=operator(session.output.environment)
    )
    with Recording(session, "drain") as recording:
        for queue in order.marks:
            order.driver.control.pause(queue, mark, ttl=ttl)
            recording.add(order.driver)
    return Paused(order.driver, order.queues, since=began)


def _wait(session: Session, order: Order, look: Look, patience: Patience) -> Rest:
    """Until the queues are at rest at two looks in a row, or the time is up: the last look."""
    progress, calm, rest = Progress(session, order), False, Rest()
    for rest in patience.looks(look):
        if order.is_done(rest) and (calm or not order.emptying):
            break
        calm = order.is_done(rest)
        progress.tell(rest, patience.waited)
    return rest
