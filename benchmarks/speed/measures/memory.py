"""How much memory `dispatch_stream` takes for a million jobs from a generator, against a tenth of them."""

from __future__ import annotations

from speed.contestants import own
from speed.measures.drain import MIB
from speed.places import Place
from speed.run import Run

SLOW = {"mariadb"}
"""Takes a minute for a million, and shows nothing that the others do not."""


def measure(run: Run) -> None:
    for store in run.stores.keys() - SLOW:
        for count in (run.size.flood // 10, run.size.flood):
            who = f"queuectl, {count:,} jobs"
            with run.trying("memory of a generator", store, who), Place(run.stores[store]) as place:
                contestant = own(store, kind="stream")
                contestant.prepare(place)
                pushed = place.push(contestant.producer, "bulk", count)
                run.note("memory of a generator", store, who, pushed.peak / MIB, "MiB")
                run.note("bulk from a generator", store, who, pushed.rate, "/s")
