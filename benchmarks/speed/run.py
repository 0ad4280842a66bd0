"""One run of the program: what it measures with, and where its figures go."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from speed.contestants import Contestant
from speed.figures import Figures, Key, shown
from speed.places import MeasureFailed
from speed.processes import WorkerEnded
from speed.sizes import Size
from speed.stores import Store

PEER_ROUNDS = 2
"""In which the peers take part, so that a run with them ends within minutes."""
QUIET = 0.6
"""Load before a run, above which its figures are not to be trusted much."""


@dataclass(slots=True)
class Run:
    stores: dict[str, Store]
    size: Size
    rounds: int
    peers: Sequence[Contestant] = ()
    figures: Figures = field(default_factory=Figures)
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Progress, as it goes."""
        print(f"[{time.monotonic() - self.began:5.0f} s] {text}", file=sys.stderr, flush=True)

    def note(self, measure: str, store: str, who: str, value: float, unit: str) -> None:
        """Keep a sample, and tell it."""
        self.figures.add(measure, store, who, value, unit)
        self.say(f"{measure:<28} {store:<9} {who:<28} {shown(value, unit)}")

    @contextmanager
    def trying(self, measure: str, store: str, who: str) -> Iterator[None]:
        """What goes wrong with one contestant is its line, and nobody else's trouble."""
        try:
            yield
        except (MeasureFailed, WorkerEnded, OSError, ValueError) as error:
            self.lacks(measure, store, who, str(error))

    def lacks(self, measure: str, store: str, who: str, reason: str) -> None:
        reason = " ".join(reason.split())[:300].rstrip(".")
        self.figures.missing[Key(measure, store, who)] = reason
        self.say(f"{measure:<28} {store:<9} {who:<28} not measured: {reason}")

    def failed(self, measure: str, store: str, who: str) -> bool:
        """Whether this has been tried in vain: another round would only take time."""
        return Key(measure, store, who) in self.figures.missing

    def peers_on(self, store: str, number: int = 0) -> list[Contestant]:
        """Those that are measured on this store in this round."""
        return [peer for peer in self.peers if peer.store == store and number < PEER_ROUNDS]


Measure = Callable[[Run], None]


@contextmanager
def started(names: Sequence[str], say: Callable[[str], None]) -> Iterator[dict[str, Store]]:
    """The stores of these names, without those whose server is not on this machine."""
    from queuectl.testing.programs import ProgramMissing
    from queuectl.testing.servers import ServerFailed
    from speed.stores import STORES

    running: dict[str, Store] = {}
    try:
        for name in names:
            store = STORES[name]()
            try:
                store.start()
            except (ProgramMissing, ServerFailed) as error:
                say(f"{name} is left out: {error}")
            else:
                running[name] = store
        yield running
    finally:
        for store in running.values():
            with suppress(Exception):
                store.close()
