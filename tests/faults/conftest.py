"""Every fault on every store it applies to; the marks make the table of a whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.conftest import MakeProject, make_project, own_server, project, store
from tests.faults.rig.arena import Arena
from tests.faults.rig.lines import Line, lay

__all__ = ["arena", "make_arena", "make_project", "own_server", "project", "store"]

MakeArena = Callable[..., Arena]


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


@pytest.fixture
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """A wire to the server that the test names by indirect parametrisation."""
    laid = lay(request.param, request)
    yield laid
    laid.wire.close()
