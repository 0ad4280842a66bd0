"""The server did it and nobody was told, at every reply of every operation: sent again, nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from itertools import count

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Verdict
from queuectl.errors import DriverUnavailable
from queuectl.jobs.outcome import Done, Outcome, Parked, Release, Unique
from queuectl.testing.contract.base import entry, fail_one, failure, push, record, reserve, reserve_one, settle
from queuectl.testing.wires import LostReply
from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import job
from tests.faults.rig.lines import SERVERS, Line


@dataclass
class Scene:
    """A queue of its own, a driver that looks straight at it, and one behind the wire."""

    queue: str
    near: Driver
    far: Driver
    clock: FakeClock

    def held(self) -> Reserved:
        push(self.near, entry(self.queue))
        return reserve_one(self.near, self.queue)

    def fail(self) -> str:
        return fail_one(self.near, self.clock, self.queue)

    @property
    def pending(self) -> int:
        return self.near.counts([self.queue])[self.queue].pending

    @property
    def size(self) -> int:
        return self.near.counts([self.queue])[self.queue].size

    @property
    def failed(self) -> int:
        return len(self.near.failed.page(queue=self.queue).items)

    def next_attempt(self) -> int:
        """Of the one job that is here, and that one alone."""
        [reserved] = reserve(self.near, self.queue, room=5)
        return reserved.attempts


Act = Callable[[], object]
Operation = Callable[[Scene], Iterator[Act]]


def push_under_a_key(scene: Scene) -> Iterator[Act]:
    """Pushed again, it finds itself."""
    wanted = entry(scene.queue, unique=Unique(scene.queue, 60))
    yield lambda: push(scene.far, wanted)
    assert push(scene.far, wanted) == [wanted.uuid]
    assert scene.pending == 1


def push_of_several(scene: Scene) -> Iterator[Act]:
    """All or none, each time; without a key, whoever pushes again may push twice."""
    yield lambda: push(scene.far, *(entry(scene.queue) for _ in range(3)))
    assert scene.pending in (3, 6)


def reservation(scene: Scene) -> Iterator[Act]:
    """A job whose reservation nobody heard of comes back after its lease, with one attempt more."""
    push(scene.near, entry(scene.queue))
    heard: list[Reserved] = []
    yield lambda: heard.extend(reserve(scene.far, scene.queue))
    if heard:
        assert heard[0].attempts == 1
        return
    scene.clock.sleep(31)
    assert scene.next_attempt() == 2


def renewal(scene: Scene) -> Iterator[Act]:
    """Renewed twice is renewed."""
    held = scene.held()
    yield lambda: scene.far.renew([held])
    assert scene.far.renew([held]) == []


def settlement(outcome: Callable[[Scene, Reserved], Outcome], judge: Callable[[Scene], object]) -> Operation:
    """GONE at the second time means that the first one was it."""

    def operation(scene: Scene) -> Iterator[Act]:
        held = scene.held()
        wanted = outcome(scene, held)
        verdicts: list[Verdict] = []
        yield lambda: verdicts.append(settle(scene.far, held, wanted))
        assert verdicts in ([Verdict.APPLIED], [Verdict.GONE])
        assert settle(scene.near, held, wanted) is Verdict.GONE
        assert judge(scene)

    return operation


def retry(scene: Scene) -> Iterator[Act]:
    """Moved once, whoever asks how often; not yet, while the server has not noticed that a first asker is gone."""
    uuid = scene.fail()
    yield lambda: scene.far.failed.retry([uuid])
    until(lambda: scene.far.failed.retry([uuid]) == [] and not scene.failed, "the row to be moved")
    assert (scene.failed, scene.next_attempt()) == (0, 1)


def forgetting(scene: Scene) -> Iterator[Act]:
    """Gone is gone."""
    uuid = scene.fail()
    yield lambda: scene.far.failed.forget([uuid])
    until(lambda: scene.far.failed.forget([uuid]) == [] and not scene.failed, "the row to be gone")
    assert (scene.failed, scene.size) == (0, 0)


def keeping(scene: Scene) -> Iterator[Act]:
    """A record that is carried here twice is here once."""
    held = scene.held()
    yield lambda: scene.far.failed.add([record(held, scene.clock)])
    assert scene.failed == 1


def clearing(scene: Scene) -> Iterator[Act]:
    """Empty is empty."""
    push(scene.near, entry(scene.queue), entry(scene.queue))
    yield lambda: scene.far.clear(scene.queue)
    assert scene.size == 0


OPERATIONS: dict[str, Operation] = {
    "push under a key": push_under_a_key,
    "push of several": push_of_several,
    "reserve": reservation,
    "renew": renewal,
    "done": settlement(lambda scene, held: Done(), lambda scene: (scene.size, scene.failed) == (0, 0)),
    "done, then another": settlement(
        lambda scene, held: Done(then=(entry(scene.queue),)), lambda scene: scene.next_attempt() == 1
    ),
    "release": settlement(lambda scene, held: Release(0), lambda scene: scene.next_attempt() == 2),
    "release, spared": settlement(lambda scene, held: Release(0, spared=True), lambda scene: scene.next_attempt() == 1),
    "park": settlement(lambda scene, held: Parked("unknown", 0), lambda scene: scene.next_attempt() == 1),
    "fail": settlement(
        lambda scene, held: failure(held, scene.clock), lambda scene: (scene.size, scene.failed) == (0, 1)
    ),
    "retry": retry,
    "forget": forgetting,
    "add a record": keeping,
    "clear": clearing,
}


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
            with acted(OPERATIONS[name], Scene(f"q{number}", near, far, clock)) as act:
                far.counts(["warm"])
                loss = line.wire.spoil(LostReply(number))
                told = insist(act)
                line.wire.mend()
                assert told <= loss.struck
            if not loss.struck:
                break
    assert number > 1


@pytest.mark.fault("F22")
@pytest.mark.parametrize("line", SERVERS, indirect=True)
def test_a_worker_loses_replies_all_the_time(line: Line, make_arena: MakeArena, request: pytest.FixtureRequest) -> None:
    """Every job is done once; those whose reservation nobody heard of count it as an attempt."""
    arena = make_arena(request.node.callspec.params["line"], retry_after=2, **line.settings)
    arena.put(*(job(f"k{number}") for number in range(60)))
    worker = arena.project.work("--tries=9")
    for number in (1, 2, 3, 4, 1, 2, 3, 5, 8):
        loss, done = line.wire.spoil(LostReply(number)), len(arena.done())
        until(lambda loss=loss: loss.struck or len(arena.done()) == 60, "a reply to lose")
        until(lambda done=done: len(arena.done()) in (60, *range(done + 1, 60)), "the worker to go on")
    line.wire.mend()
    arena.await_rest()
    arena.check(recounted=arena.acknowledged)
    assert worker.output().count("trying again") == worker.output().count("is there again") > 0


def acted(operation: Operation, scene: Scene) -> AbstractContextManager[Act]:
    return contextmanager(operation)(scene)


def insist(act: Act) -> bool:
    """Do it, if need be twice; whether it was told that it had failed."""
    try:
        act()
    except DriverUnavailable:
        act()
        return True
    return False
