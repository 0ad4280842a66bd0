"""One worker, one job at a time, a queue that is full; and before that, the queue filled one job at a time."""

from __future__ import annotations

from speed.contestants import Contestant, own
from speed.limits import LIMITS
from speed.places import Place
from speed.run import Run

MIB = 1 << 20
WARM = 0.1
"""Of the jobs: not measured."""
SLOWEST = 40
"""Jobs a second, below which nobody is waited for."""
ONE_TRIP, FIFTY, BARE = "limit: one round trip", "limit: batches of 50", "limit: bare insert"


def measure(run: Run) -> None:
    for number in range(run.rounds):
        for store in run.stores:
            limits(run, store)
            for contestant in [own(store), *run.peers_on(store, number)]:
                drained(run, contestant, "drain")


def limits(run: Run, store: str) -> None:
    """What a bare client reaches with the same statements, no worker around it."""
    with run.trying("drain", store, ONE_TRIP), Place(run.stores[store]) as place:
        limit = LIMITS[store](place.url)
        run.note("drain", store, ONE_TRIP, limit.turns(run.size.exchanges, at_once=1), "/s")
        run.note("drain", store, FIFTY, limit.turns(10 * run.size.exchanges, at_once=50), "/s")
        run.note("dispatch", store, BARE, limit.inserts(run.size.exchanges), "/s")
        limit.close()


def drained(run: Run, contestant: Contestant, measure: str) -> None:
    """Fill a queue, empty it, and note how fast both went and what the worker used."""
    store, who = contestant.store, contestant.name
    if run.failed(measure, store, who):
        return
    usual = run.size.jobs if contestant.is_own else run.size.peer_jobs
    jobs = max(int(usual * contestant.jobs), 30)
    with run.trying(measure, store, who), Place(run.stores[store], jobs=jobs) as place:
        contestant.prepare(place)
        filled(run, contestant, place, jobs, noted=measure == "drain")
        worker = place.work(contestant.worker, contestant.environment)
        warm, patience = int(WARM * jobs), 20 + jobs / SLOWEST
        worker.awaits(lambda: place.begun().count(0.0) <= jobs - warm, patience)
        cpu, done = worker.cpu(), jobs - place.begun().count(0.0)
        worker.awaits(lambda: 0.0 not in place.begun(), patience)
        used = worker.cpu() - cpu
        times = sorted(place.begun())
        run.note(measure, store, who, (jobs - 1 - warm) / (times[-1] - times[warm]), "/s")
        if done < jobs:  # else all was over before anybody looked
            run.note(f"{measure}: CPU per 1,000", store, who, used / (jobs - done) * 1000, "s")
        if contestant.is_own:
            footprint(run, worker.rss(), measure, store, who)


def filled(run: Run, contestant: Contestant, place: Place, jobs: int, *, noted: bool) -> None:
    """*noted*: one at a time, and how fast; else in whatever way is quickest."""
    if not noted and contestant.bulk:
        place.push(contestant.producer, "fill", jobs)
        return
    pushed = place.push(contestant.producer, "rate", jobs)
    if noted:
        run.note("dispatch", contestant.store, contestant.name, pushed.rate, "/s")


def footprint(run: Run, rss: list[int], measure: str, store: str, who: str) -> None:
    """Memory of a worker that has just run these jobs."""
    run.note(f"{measure}: memory of the parent", store, who, rss[0] / MIB, "MiB")
    run.note(f"{measure}: memory of the child", store, who, max(rss[1:], default=0) / MIB, "MiB")
