"""Courses of events by lot, each with crashes, freezes, refused calls and lost answers, on a clock that tests move."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers import build
from queuectl.drivers.contract import Driver
from queuectl.migrations import migrate
from tests.acceptance.conftest import place_of
from tests.faults.simulation.world import Stores, World

WORKERS, TURNS = 3, 200
FEW = {"sqlite": 200}
MANY = {"sqlite": 10_000}
OTHERS_FEW, OTHERS_MANY = 8, 500
LONG = (pytest.mark.long, pytest.mark.timeout(7200))
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """For files that are written thousands of times: in memory, if there is such a place."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as made:
        yield Path(made)


@pytest.fixture
def stores(
    store: str, folder: Path, clock: FakeClock, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stores]:
    """Queues in each store in turn, an outbox and a collecting store in files."""
    for module in ("queuectl.outbox", "queuectl.failing"):  # their pauses pass as everything else does
        monkeypatch.setattr(f"{module}.monotonic", clock.now)
    outbox, far = (Connection(name, "database", url=f"sqlite:///{folder}/{name}") for name in ("outbox", "far"))
    main = connection(store, folder, request)
    for one in (main, outbox, far):
        if one.driver == "database":
            migrate(one)
    with ExitStack() as stack:

        def driver(of: Connection) -> Driver:
            return stack.enter_context(closing(build(of, clock=clock)))

        yield Stores([driver(main) for _ in range(WORKERS)], driver(main), driver(outbox), driver(far))


def connection(store: str, folder: Path, request: pytest.FixtureRequest) -> Connection:
    place: dict[str, Any] = place_of(store, request)
    if "redis_url" in place:
        return Connection("main", "redis", url=place["redis_url"], prefix=place["prefix"])
    return Connection("main", "database", url=place.get("database_url", f"sqlite:///{folder}/main"))


@pytest.mark.fault("F4", "F12", "F22", "F38", "F39")
@pytest.mark.parametrize("many", [False, pytest.param(True, marks=LONG)], ids=["few", "many"])
def test_no_course_of_events_loses_or_doubles_a_job(
    store: str,
    many: bool,
    stores: Stores,
    clock: FakeClock,
    draw: int,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    """At every step each job is where it must be, each answer of a store is one that may be given; in the end each has
    been done once, but for those whose worker was killed or lost its lease with the effect there."""
    count = MANY.get(store, OTHERS_MANY) if many else FEW.get(store, OTHERS_FEW)
    seed = pytestconfig.getoption("--seed")
    totals: Counter[str] = Counter()
    for number in [seed] if seed is not None else range(draw, draw + count):
        try:
            totals.update(World(number, stores, clock).run(TURNS).counts)
        except Exception as error:
            error.add_note(f"Course {number}, on {store}: --seed {number} gives it alone.")
            raise
    for name, value in totals.items():
        record_property(name, value)
