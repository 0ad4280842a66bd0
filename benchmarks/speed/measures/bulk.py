"""Many jobs pushed in large steps: from the jobs' arguments, and payloads that are ready."""

from __future__ import annotations

from speed.contestants import Contestant, own
from speed.places import Place
from speed.run import Run


def measure(run: Run) -> None:
    for number in range(run.rounds):
        for store in run.stores:
            for contestant in [own(store), *(peer for peer in run.peers_on(store, number) if peer.bulk)]:
                pushed(run, contestant)
            pushed(run, own(store, name="queuectl, driver.push", kind="ready"))


def pushed(run: Run, contestant: Contestant) -> None:
    store, who = contestant.store, contestant.name
    count = run.size.bulk if contestant.is_own else run.size.bulk // 5
    if run.failed("bulk", store, who):
        return
    with run.trying("bulk", store, who), Place(run.stores[store]) as place:
        contestant.prepare(place)
        run.note("bulk", store, who, place.push(contestant.producer, "bulk", count).rate, "/s")
