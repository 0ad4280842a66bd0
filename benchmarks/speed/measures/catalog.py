"""The measures by the names that `--only` takes, in the order in which they are made."""

from __future__ import annotations

from speed.measures import (
    boot,
    bulk,
    concurrency,
    drain,
    due,
    failed,
    latency,
    memory,
    naps,
    pictures,
    scale,
    start,
    survival,
    workers,
)
from speed.run import Measure

MEASURES: dict[str, Measure] = {
    "drain": drain.measure,
    "concurrency": concurrency.measure,
    "naps": naps.measure,
    "workers": workers.measure,
    "bulk": bulk.measure,
    "memory": memory.measure,
    "latency": latency.measure,
    "scale": scale.measure,
    "due": due.measure,
    "failed": failed.measure,
    "pictures": pictures.measure,
    "start": start.measure,
    "boot": boot.measure,
    "survival": survival.measure,
}
