"""Whether a job is still in the store after its worker was killed in the middle of it."""

from __future__ import annotations

import time

from speed.contestants import Contestant, own
from speed.figures import Key
from speed.places import Place
from speed.producing import TEXT
from speed.run import Run
from speed.searching import SEARCHES


def measure(run: Run) -> None:
    for store in run.stores:
        for contestant in [own(store), *run.peers_on(store)]:
            with run.trying("survival", store, contestant.name):
                found = survives(run, contestant)
                run.figures.kept[Key("survival", store, contestant.name)] = f"{found}; {contestant.kept}"
                run.say(f"{'kill -9':<28} {store:<9} {contestant.name:<28} {found}")


def survives(run: Run, contestant: Contestant) -> str:
    with Place(run.stores[contestant.store], deed="hold", jobs=1) as place:
        contestant.prepare(place)
        place.push(contestant.producer, "rate", 1)
        worker = place.work(contestant.worker, contestant.environment)
        worker.awaits(lambda: 0.0 not in place.begun(), 30)
        time.sleep(run.size.settling)
        worker.kill()
        return "kept" if SEARCHES[contestant.store](place.url, TEXT) else "lost"
