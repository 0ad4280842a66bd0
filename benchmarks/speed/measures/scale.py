"""What a full store costs: reserving with a million rows ready, with a million delayed; `monitor` on a million."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from queuectl.app import App
from queuectl.drivers.contract import Driver, Settlement
from queuectl.jobs.outcome import Done
from speed.contestants import QUEUECTL, own
from speed.filling import FILLERS
from speed.places import MeasureFailed, Place
from speed.run import Run

TURNS = 100
ROUNDS = 5
QUEUE = "default"


@dataclass(frozen=True, slots=True)
class Stocked:
    """A place with jobs in it, and a driver to it."""

    title: str
    place: Place
    driver: Driver


def measure(run: Run) -> None:
    for store in run.stores:
        with run.trying("reserve", store, "queuectl"), ExitStack() as stack:
            stocks = [
                stack.enter_context(stocked(run, store, title, ready, delayed))
                for title, ready, delayed in stockings(run)
            ]
            for _ in range(ROUNDS):
                for stock in stocks:
                    run.figures.add("reserve", store, stock.title, turn_of(stock.driver) * 1000, "ms")
            tell(run, store, stocks)
            for stock in stocks[1:]:
                monitored(run, store, stock)


def stockings(run: Run) -> Iterator[tuple[str, int, int]]:
    few, many = run.size.few, run.size.rows
    yield f"{few:,} ready", few, 0
    yield f"{many:,} ready", many, 0
    yield f"{few:,} ready, {many:,} delayed", few, many


@contextmanager
def stocked(run: Run, store: str, title: str, ready: int, delayed: int) -> Iterator[Stocked]:
    run.say(f"filling {store} with {title} …")
    with Place(run.stores[store]) as place:
        own(store).prepare(place)
        app = App.load(place.folder / "conf/queue.toml", env={})
        with closing(app):
            FILLERS[store](place.url, app.driver(), ready, delayed)
            yield Stocked(title, place, app.driver())


def turn_of(driver: Driver) -> float:
    """The median seconds of settling one job and reserving the next; the last one goes back unharmed."""
    seconds, held = [], driver.exchange([], [QUEUE], 1)[1]
    for _ in range(TURNS):
        started = time.perf_counter()
        _, held = driver.exchange([Settlement(one, Done()) for one in held], [QUEUE], 1)
        seconds.append(time.perf_counter() - started)
        if not held:
            break
    driver.exchange([Settlement(one, Done()) for one in held], [QUEUE], 0)
    return statistics.median(seconds)


def tell(run: Run, store: str, stocks: list[Stocked]) -> None:
    """Each against the place that is not full."""
    few = run.figures.median("reserve", store, stocks[0].title)
    for stock in stocks[1:]:
        many = run.figures.median("reserve", store, stock.title)
        if few and many:
            run.note("reserve, times as long", store, stock.title, many / few, "x")


def monitored(run: Run, store: str, stock: Stocked) -> None:
    for _ in range(3):
        looked = stock.place.run([QUEUECTL, "monitor", "--json"])
        if looked.code:
            raise MeasureFailed(f"`queuectl monitor` ended with {looked.code}: {looked.output[-200:]}")
        run.note("monitor", store, stock.title, looked.seconds, "s")
