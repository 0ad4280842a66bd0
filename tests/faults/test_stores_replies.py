"""The server did it and nobody was told, at every reply of every operation: sent again, nothing happens twice."""

from __future__ import annotations

from contextlib import closing
from itertools import count

import pytest

from queuectl.clock import FakeClock
from queuectl.errors import DriverUnavailable
from queuectl.testing.wires import LostReply, LostRequest
from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import job
from tests.faults.rig.lines import SERVERS, Line
from tests.faults.rig.operations import OPERATIONS, Act, Scene, acted


@pytest.mark.fault("F22")
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("line", SERVERS, indirect=True)
def test_any_reply_of_an_operation_may_be_lost(name: str, line: Line, clock: FakeClock) -> None:
    """Its caller gets an error and asks again; what comes of both is what comes of one. Only a note to idle workers may
    be lost without a word: it is sent once all is durable."""
    with (
        closing(line.driver(spoiled=False, clock=clock)) as near,
        closing(line.driver(spoiled=True, clock=clock)) as far,
    ):
        for number in count(1):
            with acted(name, Scene(f"q{number}", near, far, clock)) as act:
                far.counts(["warm"])
                loss = line.wire.spoil(LostReply(number))
                told = insist(act)
                line.wire.mend()
                assert told <= loss.struck
            if not loss.struck:
                break
    assert number > 1


@pytest.mark.fault("F22", "F23")
@pytest.mark.parametrize("line", SERVERS, indirect=True)
def test_a_worker_loses_requests_and_replies_all_the_time(
    line: Line, make_arena: MakeArena, request: pytest.FixtureRequest
) -> None:
    """Every job is done once; those whose reservation nobody heard of count it as an attempt."""
    arena = make_arena(request.node.callspec.params["line"], retry_after=2, **line.settings)
    arena.put(*(job(f"k{number}") for number in range(60)))
    worker = arena.project.work("--tries=9")
    for number in (1, 2, 3, 4, 1, 2, 3, 5, 8):
        loss, done = line.wire.spoil(LostReply(number) if number % 3 else LostRequest(37 * number)), len(arena.done())
        until(lambda loss=loss: loss.struck or len(arena.done()) == 60, "something to lose")
        until(lambda done=done: len(arena.done()) in (60, *range(done + 1, 60)), "the worker to go on")
    line.wire.mend()
    arena.await_rest()
    arena.check(recounted=arena.acknowledged)
    assert worker.output().count("trying again") == worker.output().count("is there again") > 0


def insist(act: Act) -> bool:
    """Do it, if need be twice; whether it was told that it had failed."""
    try:
        act()
    except DriverUnavailable:
        act()
        return True
    return False
