"""A hundred thousand failed jobs: the first page, the memory it takes, and all of them put back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from queuectl.app import App
from queuectl.jobs.outcome import FailedRecord, Problem
from speed.contestants import QUEUECTL, own
from speed.filling import entry
from speed.measures.drain import MIB
from speed.places import MeasureFailed, Place
from speed.processes import Spent
from speed.run import Run

CHUNK = 1_000
FEW = 20
TRACE = "Traceback (most recent call last):\n" + '  File "jobs.py", line 12, in handle\n    raise ValueError\n' * 10
PROBLEM = Problem("builtins.ValueError", "It did not work.", f"{TRACE}ValueError: It did not work.")


def measure(run: Run) -> None:
    for store in run.stores:
        with run.trying("failed: first page", store, "queuectl"), Place(run.stores[store]) as place:
            own(store).prepare(place)
            fill(place, FEW)
            run.note(f"failed: memory with {FEW}", store, "queuectl", listed(place).peak / MIB, "MiB")
            run.say(f"filling {store} with {run.size.failed:,} failed jobs …")
            fill(place, run.size.failed - FEW)
            for _ in range(run.rounds):
                run.note("failed: first page", store, "queuectl", place.first_words([QUEUECTL, "failed"]), "s")
            run.note("failed: memory", store, "queuectl", listed(place).peak / MIB, "MiB")
            retried = asked(place, "retry", "all", "-q")
            run.note("failed: retry all", store, "queuectl", run.size.failed / retried.seconds, "/s")
            run.note("failed: memory of retry all", store, "queuectl", retried.peak / MIB, "MiB")


def fill(place: Place, count: int) -> None:
    app = App.load(place.folder / "conf/queue.toml", env={})
    with closing(app):
        left = records(app.config.default, count)
        while chunk := list(islice(left, CHUNK)):
            app.driver().failed.add(chunk)


def records(connection: str, count: int) -> Iterator[FailedRecord]:
    for _ in range(max(count, 0)):
        one = entry()
        yield FailedRecord(one.uuid, connection, one.queue, one.payload, "Work", 1, PROBLEM, time.time())


def listed(place: Place) -> Spent:
    """All of them, to the end."""
    return asked(place, "failed", "--json")


def asked(place: Place, *words: str) -> Spent:
    done = place.run([QUEUECTL, *words], watched=True)
    if done.code:
        raise MeasureFailed(f"`queuectl {' '.join(words)}` ended with {done.code}: {done.output[-200:]}")
    return done
