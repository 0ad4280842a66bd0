"""How long commands take to start, beside a bare import of the library they stand on, and beside the peers'."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from speed.contestants import QUEUECTL, Contestant, own
from speed.places import Place
from speed.run import Run
from speed.stores import Sqlite

IMPORT = "python -c 'import typer'"
Command = tuple[str, Place, list[str]]


def measure(run: Run) -> None:
    with ExitStack() as stack:
        commands = [*ours(stack), *theirs(run, stack)]
        for number in range(run.size.starts + 1):
            for who, place, words in commands:
                with run.trying("start", "", who):
                    started(run, who, place, words, noted=number > 0)
    for who, _, _ in commands:
        seconds = run.figures.median("start", "", who)
        run.say(f"start {who:<40} {'not measured' if seconds is None else f'{seconds * 1000:.0f} ms'}")


def ours(stack: ExitStack) -> Iterator[Command]:
    store = Sqlite()
    store.start()
    stack.callback(store.close)
    place = stack.enter_context(Place(store))
    own("sqlite").prepare(place)
    yield IMPORT, place, [sys.executable, "-c", "import typer"]
    for words in (["--version"], ["monitor"], ["failed"]):
        yield f"queuectl {' '.join(words)}", place, [str(QUEUECTL), *words]


def theirs(run: Run, stack: ExitStack) -> Iterator[Command]:
    """Inspection commands of others, each on a place with a worker where it asks one."""
    for peer in run.peers:
        if peer.name.startswith("rq"):
            place = stack.enter_context(Place(run.stores["redis"]))
            yield "rq info", place, [str(Path(peer.worker[0]).with_name("rq")), "info", f"--url={place.url}"]
        elif peer.name.startswith("celery"):
            place = stack.enter_context(Place(run.stores["redis"], jobs=30))
            with run.trying("start", "", "celery inspect ping"):
                working(place, peer)
                yield "celery inspect ping", place, [*map(str, peer.worker[:3]), "inspect", "ping"]


def working(place: Place, peer: Contestant) -> None:
    """A worker that is up."""
    place.push(peer.producer, "rate", 30)
    worker = place.work(peer.worker, peer.environment)
    worker.awaits(lambda: 0.0 not in place.begun(), 30)


def started(run: Run, who: str, place: Place, words: list[str], *, noted: bool) -> None:
    done = place.run(words)
    if done.code:
        raise ValueError(f"`{' '.join(words)}` ended with {done.code}: {done.output.strip()[-200:]}")
    if noted:
        run.figures.add("start", "", who, done.seconds, "s")
        run.figures.add("start: CPU", "", who, done.cpu, "s")
