"""One worker with many jobs in flight, a queue that is full."""

from __future__ import annotations

from speed.contestants import own
from speed.measures.drain import drained
from speed.run import Run

AT_ONCE = "--concurrency=50"


def measure(run: Run) -> None:
    for number in range(run.rounds):
        for store in run.stores:
            drained(run, own(store, AT_ONCE, name="queuectl, 50 in threads"), "concurrency")
            drained(run, own(store, AT_ONCE, name="queuectl, 50 coroutines", kind="async"), "concurrency")
            for peer in run.peers_on(store, number):
                if peer.at_once:
                    drained(run, peer.with_many(), "concurrency")
