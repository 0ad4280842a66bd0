"""Everything that a driver is asked to write, as operations that may go wrong and be asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Verdict
from queuectl.jobs.outcome import Done, Outcome, Parked, Release, Unique
from queuectl.testing.contract.base import entry, fail_one, failure, push, record, reserve, reserve_one, settle
from tests.acceptance.project import until


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


def acted(name: str, scene: Scene) -> AbstractContextManager[Act]:
    """What is to be done, between what must be there before and what must be true afterwards."""
    return contextmanager(OPERATIONS[name])(scene)
