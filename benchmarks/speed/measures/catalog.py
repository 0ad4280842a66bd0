"""The measures by the names that `--only` takes, in the order in which they are made."""

from __future__ import annotations

from speed.measures.boot import measure as boot
from speed.measures.bulk import measure as bulk
from speed.measures.concurrency import measure as concurrency
from speed.measures.drain import measure as drain
from speed.measures.due import measure as due
from speed.measures.failed import measure as failed
from speed.measures.latency import measure as latency
from speed.measures.memory import measure as memory
from speed.measures.naps import measure as naps
from speed.measures.pictures import measure as pictures
from speed.measures.scale import measure as scale
from speed.measures.start import measure as start
from speed.measures.survival import measure as survival
from speed.measures.workers import measure as workers
from speed.run import Measure

MEASURES: dict[str, Measure] = {
    "drain": drain,
    "concurrency": concurrency,
    "naps": naps,
    "workers": workers,
    "bulk": bulk,
    "memory": memory,
    "latency": latency,
    "scale": scale,
    "due": due,
    "failed": failed,
    "pictures": pictures,
    "start": start,
    "boot": boot,
    "survival": survival,
}
