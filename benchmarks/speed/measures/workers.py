"""Jobs that keep a core busy: one worker process against two."""

from __future__ import annotations

from speed.contestants import Contestant, own
from speed.places import Place
from speed.run import Run

ROUNDS = 2


def measure(run: Run) -> None:
    for _ in range(min(run.rounds, ROUNDS)):
        for store in run.stores:
            for count in (1, 2):
                spun(run, own(store, f"--workers={count}", name=f"queuectl --workers {count}"))


def spun(run: Run, contestant: Contestant) -> None:
    store, jobs = contestant.store, run.size.spins
    with run.trying("workers", store, contestant.name), Place(run.stores[store], deed="spin", jobs=jobs) as place:
        contestant.prepare(place)
        place.push(contestant.producer, "fill", jobs)
        worker = place.work(contestant.worker)
        worker.awaits(lambda: 0.0 not in place.begun(), 60 + jobs)
        times = sorted(place.begun())
        warm = jobs // 5  # until the second process runs as well
        run.note("workers", store, contestant.name, (jobs - 1 - warm) / (times[-1] - times[warm]), "/s")
