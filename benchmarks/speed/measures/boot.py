"""From the start of a worker to the first line of its first job."""

from __future__ import annotations

import time

from speed.contestants import Contestant, own
from speed.places import Place
from speed.run import Run


def measure(run: Run) -> None:
    for number in range(run.rounds):
        for store in run.stores:
            for contestant in [own(store), *(run.peers_on(store) if number == 0 else ())]:
                if not run.failed("boot", store, contestant.name):
                    booted(run, contestant)


def booted(run: Run, contestant: Contestant) -> None:
    store, who = contestant.store, contestant.name
    with run.trying("boot", store, who), Place(run.stores[store], jobs=1) as place:
        contestant.prepare(place)
        place.push(contestant.producer, "rate", 1)
        started = time.monotonic()
        worker = place.work(contestant.worker, contestant.environment)
        worker.awaits(lambda: 0.0 not in place.begun(), 30)
        run.note("boot", store, who, place.begun()[0] - started, "s")
