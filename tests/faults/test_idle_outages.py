"""What a worker with little to do makes of an outage: it has more than one connection, and still there was only one."""

from __future__ import annotations

import pytest

from queuectl.testing.wires import Refusal
from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import job
from tests.faults.rig.lines import SERVERS, Line
from tests.faults.rig.outages import BACK, LOST


@pytest.mark.fault("F19")
@pytest.mark.parametrize("line", SERVERS, indirect=True)
def test_the_connection_that_waits_for_work_is_not_a_second_outage(line: Line, make_arena: MakeArena) -> None:
    """Broken together with the other while that one had something to say, it is opened anew without a word."""
    arena = make_arena("valkey" if "redis" in line.url else "postgres", retry_after=30, **line.settings)
    arena.put(job("before"))
    worker = arena.project.work("--sleep=1")
    arena.await_done({"before"})
    until(lambda: arena.project.monitor("default")[0]["workers"], "its sign of life")  # and by now it waits for work
    arena.put(job("during", "Gate"))
    until(lambda: arena.project.starts("during"), "a start")
    line.wire.spoil(Refusal())
    (arena.project.folder / "open").touch()
    until(lambda: LOST in worker.output(), "the outage to be noticed")
    line.wire.mend()
    until(lambda: BACK in worker.output(), "its end to be noticed")
    for key in ("after", "later"):
        arena.put(job(key))
        arena.await_done({key})
    assert (worker.output().count(LOST), worker.output().count(BACK)) == (1, 1)
    arena.await_rest()
    arena.check()
