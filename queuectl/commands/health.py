"""`health`: is a worker alive, and would jobs be run? For Docker, Kubernetes and all who ask every few seconds."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from queuectl.commands.addresses import Address, split_list
from queuectl.commands.exit_codes import DONE, FAILED
from queuectl.commands.options import Connection, Json
from queuectl.commands.reach import gather, raise_first, stores
from queuectl.commands.session import Session
from queuectl.commands.text import plural, safe
from queuectl.commands.times import brief, iso, seconds
from queuectl.drivers.contract import Driver
from queuectl.drivers.control import Beat
from queuectl.errors import UsageError


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is answered: one line for people and logs, keys for programs."""

    well: bool
    line: str
    facts: dict[str, Any]


def health(
    context: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Is a worker of this host alive?")] = False,
    ready: Annotated[
        bool, typer.Option("--ready", help="Do the stores answer, with their tables, and is each --queue served?")
    ] = False,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="With --live: workers of this name, on any host.")
    ] = "",
    queue: Annotated[
        str, typer.Option("--queue", metavar="NAMES", help="With --ready: [connection:]queue, comma-separated.")
    ] = "",
    max_age: Annotated[
        str, typer.Option("--max-age", metavar="TIME", help="How old the last sign of life may be.")
    ] = "30s",
    connection: Connection = "",
    as_json: Json = False,
) -> int:
    """Say in one line whether a worker lives, or whether jobs would be run. Exit 1 if not."""
    session = Session.of(context)
    if live == ready:
        raise UsageError("Which health? Give --live (is a worker of this host alive?) or --ready (would jobs be run?).")
    if (name and ready) or (queue and live):
        raise UsageError("--name goes with --live, and --queue with --ready.")
    age, names = seconds(max_age, "--max-age"), stores(session, connection)
    verdict = _live(session, names, name, age) if live else _ready(session, names, split_list(queue), age)
    if as_json:
        session.output.json(verdict.facts)
    else:
        session.output.line(verdict.line)
    return DONE if verdict.well else FAILED


# Is a worker alive?


def _live(session: Session, names: Sequence[str], name: str, age: float) -> Verdict:
    """By the control stores alone, the first of them that knows of one; what they cannot tell is no answer."""
    host, now = socket.gethostname(), session.app.clock.now()

    def is_meant(beat: Beat) -> bool:
        return now - beat.at <= age and (beat.name == name if name else beat.host == host)

    answers = gather(session, names, lambda _, driver: list(filter(is_meant, driver.control.beats())))
    found = [(connection, beat) for connection, beats in answers.given.items() for beat in beats]
    if not found:
        raise_first([*answers.lost.values(), *(() if answers.given else answers.bare.values())])
    facts = {"live": bool(found), "workers": [_to_json(connection, beat, now) for connection, beat in found]}
    if not found:
        who = f"worker called [{safe(name)}]" if name else f"worker of host {host}"
        return Verdict(False, f"not live: no {who} has given a sign of life within {brief(age)}", facts)
    return Verdict(True, f"live: {', '.join(_described(beat, now) for _, beat in found)}", facts)


def _described(beat: Beat, now: float) -> str:
    what = f"runs {plural(len(beat.running), 'job')}" if beat.running else "idle"
    return f"{safe(beat.name)} on {safe(beat.host)} (pid {beat.pid}, {what}, seen {brief(now - beat.at)} ago)"


def _to_json(connection: str, beat: Beat, now: float) -> dict[str, Any]:
    return {
        "connection": connection,
        "name": beat.name,
        "host": beat.host,
        "pid": beat.pid,
        "queues": list(beat.queues),
        "running": len(beat.running),
        "processed": beat.processed,
        "seen_at": iso(beat.at),
        "age": round(max(now - beat.at, 0.0), 3),
    }


# Would jobs be run?


def _ready(session: Session, names: Sequence[str], queues: Sequence[str], age: float) -> Verdict:
    """Raises what the first store raises that is away or has no tables."""
    wanted = [_address(session, words, names) for words in queues]
    names = list(dict.fromkeys([*names, *(connection for connection, _ in wanted)]))
    served = {(name, queue) for name in names for queue in _served(session, session.app.driver(name), age)}
    unserved = [pair for pair in wanted if pair not in served]
    facts = {
        "ready": not unserved,
        "connections": list(names),
        "served": _joined(pair for pair in wanted if pair in served),
        "unserved": _joined(unserved),
    }
    if unserved:
        return Verdict(False, f"not ready: no worker serves {_listed(_joined(unserved))}", facts)
    answer = "answers" if len(names) == 1 else "answer"
    line = f"ready: {_listed(names)} {answer}" if names else "ready: jobs run at once"
    return Verdict(True, f"{line}, {_listed(queues)} served" if queues else line, facts)


def _address(session: Session, words: str, names: Sequence[str]) -> tuple[str, str]:
    """Without a connection the chosen one, or the default one, is meant."""
    address = Address.parse(words, session.app.connection_names)
    return address.connection or (names[0] if len(names) == 1 else session.config.default), address.queue


def _served(session: Session, driver: Driver, age: float) -> Iterator[str]:
    """The queues that a living worker serves, anywhere."""
    driver.check()
    oldest = session.app.clock.now() - age
    for beat in driver.control.beats():
        if beat.at >= oldest:
            yield from beat.queues


def _joined(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{connection}:{queue}" for connection, queue in pairs]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(safe, names))
