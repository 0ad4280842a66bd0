"""Everything that can go wrong does, at random, for as long as one likes: nothing is lost, and nothing grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from queuectl.testing.server import Server
from queuectl.testing.wires import Wire
from tests.faults.conftest import MakeArena
from tests.faults.rig.lines import Line
from tests.faults.rig.soak import Note, Plan, Soak

MINIATURE = Plan(seconds=10, pause=(0.1, 0.4), workers=2, rate=20, lease=2.0)
MakeSoak = Callable[[str, Plan], Soak]


@pytest.fixture
def make_soak(make_arena: MakeArena, own_server: Callable[[str], Server], draw: int) -> Iterator[MakeSoak]:
    """Build a soak on a store, with a server and a wire of its own."""
    with ExitStack() as stack:

        def make(store: str, plan: Plan) -> Soak:
            settings: dict[str, Any] = {}
            ground: dict[str, Any] = {}
            if store != "sqlite":
                server = own_server(store)
                line = Line(server.url, "", Wire(server.port))
                stack.callback(line.wire.close)
                settings, ground = line.settings, {"server": server, "line": line}
            soak = Soak(make_arena(store, retry_after=plan.lease, **settings), store, plan, draw, **ground)
            stack.callback(soak.close)
            return soak

        yield make


@pytest.mark.fault("F44")
@pytest.mark.parametrize("store", ["sqlite", "valkey"])
def test_ten_seconds_of_mischief(store: str, make_soak: MakeSoak, record_property: Note) -> None:
    """The soak in miniature: the same order of the same troubles each time."""
    soak = make_soak(store, MINIATURE)
    soak.run()
    soak.judge(record_property)


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
@pytest.mark.fault("F44")
def test_a_long_time_of_mischief(
    store: str, make_soak: MakeSoak, pytestconfig: pytest.Config, record_property: Note
) -> None:
    """For `--soak` seconds, by `--seed`."""
    soak = make_soak(store, Plan(seconds=pytestconfig.getoption("--soak")))
    soak.run()
    soak.judge(record_property)
