"""What was set out to be reached, and whether it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from speed.figures import Figures, Key, shown
from speed.measures.drain import BARE, ONE_TRIP
from speed.measures.start import IMPORT

OWN = "queuectl"


@dataclass(frozen=True, slots=True)
class Reached:
    words: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Target:
    """*of* over *against*, if that is given, is at most (or at least) so much."""

    says: str
    of: Key
    at_least: float | None = None
    at_most: float | None = None
    against: Key | None = None

    def reached(self, figures: Figures) -> Reached | None:
        """None where what it speaks of was not measured."""
        found, base = figures.found.get(self.of), figures.found.get(self.against or self.of)
        if found is None or base is None:
            return None
        value = found.median / base.median if self.against else found.median
        words = shown(found.median, found.unit)
        if self.against:
            words = f"{value:.2f} times: {words} against {shown(base.median, base.unit)}"
        return Reached(words, self._holds(value))

    def _holds(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


STORES = ("redis", "postgres", "sqlite", "mariadb")
TITLES = {"redis": "Redis", "postgres": "PostgreSQL", "sqlite": "SQLite", "mariadb": "MariaDB"}


def _own(measure: str, store: str = "", who: str = OWN) -> Key:
    return Key(measure, store, who)


def _draining() -> Iterator[Target]:
    for store, who, times in (
        ("redis", "taskiq, stream", 1.4),
        ("postgres", ONE_TRIP, 0.5),
        ("postgres", "oban", 1.2),
        ("sqlite", "huey", 2.5),
        ("sqlite", ONE_TRIP, 0.4),
        ("mariadb", ONE_TRIP, 0.5),
    ):
        says = f"{TITLES[store]}, one job at a time: at least {times:g} times {who}"
        yield Target(says, _own("drain", store), at_least=times, against=Key("drain", store, who))


def _at_once() -> Iterator[Target]:
    for store, peer, times in (("redis", "taskiq, stream", 3), ("postgres", "pgqueuer", 1.3)):
        for who in ("queuectl, 50 in threads", "queuectl, 50 coroutines"):
            says = f"{TITLES[store]}, {who.partition(', ')[2]}: at least {times:g} times {peer} at its best"
            yield Target(says, Key("concurrency", store, who), at_least=times, against=Key("concurrency", store, peer))
    for who, most in (("coroutines", 0.22), ("threads", 0.27)):
        says = f"500 jobs of 20 ms, 50 at once as {who}: at most {most:g} s"
        yield Target(says, Key("naps", "redis", f"queuectl, {who}"), at_most=most)
    for store in STORES:
        says = f"{TITLES[store]}: two workers do at least 1.8 times what one does, CPU-bound"
        two, one = (Key("workers", store, f"queuectl --workers {count}") for count in (2, 1))
        yield Target(says, two, at_least=1.8, against=one)


def _dispatching() -> Iterator[Target]:
    for store, least in (("redis", 0.85), ("postgres", 0.85), ("sqlite", 0.75)):
        says = f"{TITLES[store]}, dispatch: at least {least:.0%} of a bare durable insert"
        yield Target(says, _own("dispatch", store), at_least=least, against=Key("dispatch", store, BARE))
    for store, rate in (("redis", 110_000), ("sqlite", 110_000), ("postgres", 85_000)):
        yield Target(f"{TITLES[store]}, bulk from arguments: at least {rate:,} /s", _own("bulk", store), at_least=rate)


def _waiting() -> Iterator[Target]:
    for store, median, worst in (("redis", 0.35, 2), ("postgres", 1.5, 6), ("sqlite", 6, 15), ("mariadb", 20, 60)):
        title = TITLES[store]
        yield Target(f"{title}, idle latency: p50 at most {median:g} ms", _own("latency p50", store), at_most=median)
        yield Target(f"{title}, idle latency: p99 at most {worst:g} ms", _own("latency p99", store), at_most=worst)
        says = f"{title}, a burst's last job: p99 at most {worst:g} ms"
        yield Target(says, _own("latency p99 of bursts' last", store), at_most=worst)
        yield Target(f"{title}: an idle worker uses less than 1 % of a core", _own("idle CPU", store), at_most=1)


def _scale() -> Iterator[Target]:
    for store in ("redis", "postgres", "sqlite"):
        for who in ("1,000,000 ready", "1,000 ready, 1,000,000 delayed"):
            says = f"{TITLES[store]}, reserving with {who}: at most 1.3 times the time with 1,000"
            yield Target(says, _own("reserve, times as long", store, who), at_most=1.3)
    for store in STORES:
        title = TITLES[store]
        says = f"{title}, `monitor` with a million ready: at most 0.5 s"
        yield Target(says, _own("monitor", store, "1,000,000 ready"), at_most=0.5)
        says = f"{title}, first page of 100,000 failed: at most 0.5 s"
        yield Target(says, _own("failed: first page", store), at_most=0.5)
        says = f"{title}, memory to list 100,000 failed: at most 1.3 times that for 20"
        few = _own("failed: memory with 20", store)
        yield Target(says, _own("failed: memory", store), at_most=1.3, against=few)
        yield Target(f"{title}, `retry all`: at least 20,000 /s", _own("failed: retry all", store), at_least=20_000)
        says = f"{title}, 50,000 due in the same second: no stall above 50 ms"
        yield Target(says, _own("longest stall", store), at_most=50)
        says = f"{title}, memory of a generator of a million: at most 1.3 times that of 100,000"
        many, some = (Key("memory of a generator", store, f"queuectl, {n} jobs") for n in ("1,000,000", "100,000"))
        yield Target(says, many, at_most=1.3, against=some)


def _pictures() -> Iterator[Target]:
    ours = _own("pictures", who="ProcessImageJob")
    theirs = _own("pictures", who="pyvips")
    yield Target("A photo of 12 megapixels: at most 1.15 times pyvips", ours, at_most=1.15, against=theirs)
    memory = _own("pictures: memory above idle", who="ProcessImageJob")
    yield Target("… in at most 45 MiB above the idle child", memory, at_most=45)
    likeness = _own("pictures: likeness", who="ProcessImageJob")
    yield Target("… at least 45 dB like a full LANCZOS", likeness, at_least=45)


def _starting() -> Iterator[Target]:
    bare = _own("start", who=IMPORT)
    for command, most in (("--version", 1.5), ("monitor", 2.5), ("failed", 2.5)):
        says = f"`queuectl {command}`: at most {most:g} times {IMPORT}"
        yield Target(says, _own("start", who=f"queuectl {command}"), at_most=most, against=bare)
    monitor = _own("start", who="queuectl monitor")
    yield Target(
        "`queuectl monitor`: no slower than `rq info`", monitor, at_most=1, against=_own("start", who="rq info")
    )
    inspect = _own("start", who="celery inspect ping")
    yield Target("`queuectl monitor`: 8 times faster than `celery inspect`", inspect, at_least=8, against=monitor)
    for store in STORES:
        yield Target(f"{TITLES[store]}, worker's start to first job: at most 0.35 s", _own("boot", store), at_most=0.35)


def _footprint() -> Iterator[Target]:
    for store, most in (("sqlite", 24), ("redis", 42), ("postgres", 42)):
        parent, child = (_own(f"drain: memory of the {who}", store) for who in ("parent", "child"))
        yield Target(f"{TITLES[store]}, the worker's parent: at most {most} MiB", parent, at_most=most)
        yield Target(f"{TITLES[store]}, the worker's child: at most 45 MiB", child, at_most=45)
    says = "Redis, CPU of 1,000 jobs, both processes: at most 0.15 s"
    yield Target(says, _own("drain: CPU per 1,000", "redis"), at_most=0.15)


TARGETS = (
    *_draining(),
    *_at_once(),
    *_dispatching(),
    *_waiting(),
    *_scale(),
    *_pictures(),
    *_starting(),
    *_footprint(),
)
