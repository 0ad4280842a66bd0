"""Every fault on every store it applies to; the marks make the table of a whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.conftest import (
    CONNECTIONS,
    MakeProject,
    make_project,
    own_server,
    place_of,
    project,
    store,
)
from tests.faults.rig.arena import Arena
from tests.faults.rig.lines import Line, lay
from tests.faults.rig.nursery import Nursery

__all__ = ["arena", "make_arena", "make_project", "nursery", "own_server", "project", "store"]

MakeArena = Callable[..., Arena]
MakePair = Callable[..., Arena]

PAIRS = [("valkey", "postgres"), ("postgres", "valkey")]
"""Where the queues are, and where their failed jobs are collected."""
OTHER_PAIRS = [("redis62", "mariadb"), ("mariadb", "redis62"), ("sqlite", "valkey"), ("redis62", "sqlite")]


@pytest.fixture
def make_arena(make_project: MakeProject, record_property: Callable[[str, object], None]) -> MakeArena:
    """Build an arena on a store by name, with settings of `Project`."""

    def make(store: str, **settings: object) -> Arena:
        return Arena(make_project(store, **settings), record_property)

    return make


@pytest.fixture
def arena(store: str, make_arena: MakeArena) -> Arena:
    """An arena on each store in turn, with a lease of three seconds."""
    return make_arena(store, retry_after=3)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where processes of all projects come from cheaply."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """A wire to the server that the test names by indirect parametrisation."""
    laid = lay(request.param, request)
    yield laid
    laid.wire.close()


@pytest.fixture
def make_pair(make_arena: MakeArena, request: pytest.FixtureRequest) -> MakePair:
    """Build an arena whose failed jobs are collected in another store than the one with its queues."""

    def make(queues: str, failed: str, **settings: str) -> Arena:
        both = {**place_of(failed, request), **place_of(queues, request), "connection": "redis", **settings}
        arena = make_arena("valkey", retry_after=3, **both)
        arena.project.connection = arena.project.environment["QUEUE_CONNECTION"] = CONNECTIONS[queues]
        with (arena.project.folder / "conf/queue.toml").open("a") as file:
            file.write(f'\n[failed]\nconnection = "{CONNECTIONS[failed]}"\n')
        return arena

    return make
