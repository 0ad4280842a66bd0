"""Jobs that only wait, 20 ms each, 50 at once: how long all of them take."""

from __future__ import annotations

from speed.contestants import Contestant, own
from speed.deeds import NAP
from speed.measures.concurrency import AT_ONCE
from speed.places import Place
from speed.run import Run

AT_A_TIME = 50
IDEAL = "limit: nothing but the waiting"


def measure(run: Run) -> None:
    for number in range(run.rounds):
        for store in run.stores:
            run.figures.add("naps", store, IDEAL, run.size.naps / AT_A_TIME * NAP, "s")
            napped(run, own(store, AT_ONCE, name="queuectl, coroutines", kind="async"))
            napped(run, own(store, AT_ONCE, name="queuectl, threads"))
            for peer in run.peers_on(store):
                if peer.at_once and number == 0:
                    napped(run, peer.with_many())


def napped(run: Run, contestant: Contestant) -> None:
    """The first 50 are not counted: they find a worker that has just begun."""
    store, who, jobs = contestant.store, contestant.name, AT_A_TIME + run.size.naps
    if run.failed("naps", store, who):
        return
    with run.trying("naps", store, who), Place(run.stores[store], deed="nap", jobs=jobs) as place:
        contestant.prepare(place)
        place.push(contestant.producer, "fill" if contestant.bulk else "rate", jobs)
        worker = place.work(contestant.worker, contestant.environment)
        worker.awaits(lambda: 0.0 not in place.ended(), 30 + jobs * NAP)
        run.note("naps", store, who, max(place.ended()) - sorted(place.begun())[AT_A_TIME], "s")
