"""From the call of `dispatch` to the first line of `handle`, in a worker that had nothing to do."""

from __future__ import annotations

import time

from speed.contestants import Contestant, own
from speed.figures import percentile
from speed.places import Place
from speed.processes import Worker
from speed.run import Run

WARM = 20
"""Jobs that a worker has done before it is measured."""
FIRST = 5
"""Jobs for which the producer is not measured either."""
ROUNDS = 2
"""Their waits are put together: a 99th percentile wants many."""


def measure(run: Run) -> None:
    waits: dict[tuple[str, str], list[float]] = {}
    for number in range(min(run.rounds, ROUNDS)):
        for store in run.stores:
            for contestant in [own(store), *(run.peers_on(store) if number == 0 else ())]:
                with run.trying("latency p50", store, contestant.name):
                    waits.setdefault((store, contestant.name), []).extend(waited(run, contestant))
    for (store, who), found in waits.items():
        run.note("latency p50", store, who, percentile(found, 50) * 1000, "ms")
        run.note("latency p99", store, who, percentile(found, 99) * 1000, "ms")


def waited(run: Run, contestant: Contestant) -> list[float]:
    """The seconds of single jobs; for queuectl, also of each burst's last, and what the idle worker uses."""
    size, store, who = run.size, contestant.store, contestant.name
    paced = FIRST + (size.paced if contestant.is_own else size.paced // 3 + 1)
    in_bursts = (1 + size.bursts) * size.burst
    with Place(run.stores[store], jobs=max(WARM, paced, in_bursts)) as place:
        contestant.prepare(place)
        place.push(contestant.producer, "rate", WARM)
        worker = place.work(contestant.worker, contestant.environment)
        worker.awaits(lambda: 0.0 not in place.begun()[:WARM], 30)
        found = round_of(place, worker, contestant, "pace", paced)[FIRST:]
        if contestant.is_own:
            bursts = round_of(place, worker, contestant, "bursts", in_bursts, size.burst)
            lasts = bursts[2 * size.burst - 1 :: size.burst]
            run.note("latency p50 of bursts' last", store, who, percentile(lasts, 50) * 1000, "ms")
            run.note("latency p99 of bursts' last", store, who, percentile(lasts, 99) * 1000, "ms")
            run.note("idle CPU", store, who, idle(worker, size.idle), "%")
        return found


def round_of(place: Place, worker: Worker, contestant: Contestant, *words: object) -> list[float]:
    """Seconds between sending and beginning, of each job in turn; the first ones wait for the producer's connection."""
    place.forget()
    pushed = place.push(contestant.producer, *words)
    worker.awaits(lambda: 0.0 not in place.begun()[: len(pushed.sent)], 20)
    return [begun - sent for begun, sent in zip(place.begun(), pushed.sent, strict=False)]


def idle(worker: Worker, seconds: float) -> float:
    """Percent of a core that a worker uses that waits for work."""
    time.sleep(seconds / 4)
    before, started = worker.cpu(), time.monotonic()
    time.sleep(seconds)
    return (worker.cpu() - before) / (time.monotonic() - started) * 100
