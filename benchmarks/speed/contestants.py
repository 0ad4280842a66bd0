"""Who is measured: a producer's program and a worker's, on one kind of store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from speed.places import MeasureFailed, Place

CONFIGURATION = """\
default = "{kind}"
jobs = ["speed.workload"]

[connections.{kind}]
driver = "{kind}"
url = "{url}"
"""
MANY = "SPEED_MANY"
"""Set where a worker that is configured in code is to have many jobs in flight."""
QUEUECTL = Path(sys.executable).with_name("queuectl")


def nothing(place: Place) -> None:
    """Most need no preparation."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way of one library to do the work."""

    name: str
    store: str
    producer: tuple[str | Path, ...]
    worker: tuple[str | Path, ...]
    jobs: float = 1.0
    """Its share of the usual number of jobs, for those that would take too long."""
    jobs_at_once: float = 0.0
    """The same with many in flight: a batch of a thousand wants many, or its first is all that is measured."""
    bulk: bool = False
    """Whether its producer can push many in one step."""
    kept: str = ""
    """What its documentation says of a job whose worker was killed."""
    prepare: Callable[[Place], None] = nothing
    environment: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False
    at_once: tuple[str, ...] = ()
    """The worker's further options to have 50 jobs or more in flight, if it can; `("-",)` if it does by itself."""

    def with_many(self) -> Contestant:
        """The same with many jobs in flight."""
        options = tuple(word for word in self.at_once if word != "-")
        return replace(
            self,
            worker=(*self.worker, *options),
            environment={**self.environment, MANY: "1"},
            jobs=self.jobs_at_once or self.jobs,
        )


def own(store: str, *options: str, name: str = "queuectl", kind: str = "plain") -> Contestant:
    """queuectl itself, its worker with these options."""
    return Contestant(
        name,
        store,
        producer=(sys.executable, "-m", "speed.workload", kind),
        worker=(QUEUECTL, "work", "-q", *options),
        bulk=True,
        kept="comes back when its lease has run out, 30 s by default",
        prepare=furnish,
        is_own=True,
    )


def furnish(place: Place) -> None:
    """The configuration, and the tables."""
    kind = "redis" if place.store.name == "redis" else "database"
    (place.folder / "conf").mkdir()
    (place.folder / "conf/queue.toml").write_text(CONFIGURATION.format(kind=kind, url=place.url))
    if kind == "redis":
        return
    made = place.run([QUEUECTL, "migrate", "--quiet"])
    if made.code:
        raise MeasureFailed(f"`queuectl migrate` ended with {made.code}: {made.output[-300:]}")
