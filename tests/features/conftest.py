"""An application on each store, with a clock that stands still and a worker that runs what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.config.loading import load
from queuectl.jobs import runtime
from queuectl.migrations import migrate
from queuectl.testing.worker import InlineWorker
from tests.features.callers import CALLERS

STORES = ("sqlite", "postgres", "mariadb", "valkey")
"""Redis 6.2 has the contract's tests: these here are about what stands on it."""
CONFIGURATION = """
default = "{default}"
middleware = {middleware}
[connections.sync]
driver = "sync"
[connections.main]
driver = "{driver}"
url = "{url}"
prefix = "{prefix}"
[limits]
emails = "3/m"
"""


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(store: str, tmp_path: Path, prefix: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of a connection to an empty store."""
    if store == "sqlite":
        return {"driver": "database", "url": f"sqlite:///{tmp_path}/queue.sqlite", "prefix": ""}
    if store in ("postgres", "mariadb"):
        return {"driver": "database", "url": request.getfixturevalue(f"{store}_url"), "prefix": ""}
    return {"driver": "redis", "url": request.getfixturevalue(store).url, "prefix": prefix}


@pytest.fixture
def middleware() -> list[str]:
    """What stands around every job; a test module may say otherwise."""
    return []


@pytest.fixture
def app(place: dict[str, str], middleware: list[str], tmp_path: Path, clock: FakeClock) -> Iterator[App]:
    """The application that `Job.dispatch` finds; its default connection is to the store."""
    yield from bound(tmp_path, clock, default="main", middleware=middleware, **place)


def bound(root: Path, clock: FakeClock, **settings: Any) -> Iterator[App]:
    (root / "conf").mkdir()
    (root / "conf" / "queue.toml").write_text(CONFIGURATION.format(**settings))
    app = App(load(root / "conf" / "queue.toml", env={}), clock=clock)
    if settings["driver"] == "database":
        migrate(app.connection("main"))
    token = runtime.bind(app.runtime)
    yield app
    runtime.unbind(token)
    app.close()


@pytest.fixture
def worker(app: App) -> InlineWorker:
    return InlineWorker(app)


@pytest.fixture
def rival(app: App) -> InlineWorker:
    """Another worker of the same store."""
    return InlineWorker(app)


@pytest.fixture
def caller(kind: str, app: App) -> Iterator[Any]:
    with CALLERS[kind](app.connection("main").url) as opened:
        yield opened


@pytest.fixture
def ends(caller: Any) -> Callable[..., Any]:
    """Commit, or roll back; in Django, that is `atomic`."""

    def run(work: Callable[[], Any], *, well: bool = True) -> Any:
        if hasattr(caller, "in_atomic_block"):
            from django.db.transaction import atomic

            with suppress(ZeroDivisionError), atomic():
                found = work()
                _ = 1 / well
            return found if well else None
        found = work()
        caller.commit() if well else caller.rollback()
        return found

    return run
