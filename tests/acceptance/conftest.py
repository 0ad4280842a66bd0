"""A project on every store."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from queuectl.testing.databases import fresh_database, fresh_prefix
from queuectl.testing.plugin import start
from queuectl.testing.servers import MariaDB, Postgres, Redis62, Server, Valkey
from tests.acceptance.nursery import Nursery
from tests.acceptance.project import Project

STORES = ("sqlite", "postgres", "mariadb", "valkey", "redis62")

KINDS: dict[str, type[Server]] = {"postgres": Postgres, "mariadb": MariaDB, "valkey": Valkey, "redis62": Redis62}

MakeProject = Callable[..., Project]


@pytest.fixture(scope="session", autouse=True)
def _signals_mean_something() -> None:
    """Tests run under `nohup` would hand its ignored hang-up on to every worker."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def make_project(tmp_path: Path, request: pytest.FixtureRequest, forks: Nursery) -> Iterator[MakeProject]:
    """Build a project on a store by name; tables are made, workers are killed at the end."""
    projects: list[Project] = []

    def make(store: str, **settings: Any) -> Project:
        given = settings.keys() & {"redis_url", "database_url"}
        place = {"connection": CONNECTIONS[store]} if given else place_of(store, request)
        project = Project(tmp_path / f"project{len(projects)}", **{**place, **settings})
        project.nursery = forks
        projects.append(project)
        project.migrate()
        return project

    yield make
    for project in projects:
        project.close()


@pytest.fixture
def own_server(pytestconfig: pytest.Config) -> Iterator[Callable[[str], Server]]:
    """Start a durable server that nobody else uses: to be killed, frozen and restarted."""
    started: list[Server] = []

    def own(store: str) -> Server:
        started.append(start(KINDS[store], pytestconfig, durable=True))
        return started[-1]

    yield own
    for server in started:
        server.close()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Each store in turn."""
    name: str = request.param
    return name


@pytest.fixture
def project(store: str, make_project: MakeProject) -> Project:
    """An application on each store in turn."""
    return make_project(store)


def place_of(store: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Which settings of `Project` lead to an empty store of this kind."""
    place = {"connection": CONNECTIONS[store]}
    if store in ("postgres", "mariadb"):
        return {**place, "database_url": fresh_database(request.getfixturevalue(store))}
    if store in ("valkey", "redis62"):
        return {**place, "redis_url": request.getfixturevalue(store).url, "prefix": fresh_prefix()}
    return place


CONNECTIONS = {
    "sync": "sync",
    "sqlite": "database",
    "postgres": "database",
    "mariadb": "database",
    "valkey": "redis",
    "redis62": "redis",
}
