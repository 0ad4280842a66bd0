"""Every call of an operator's command goes wrong once, in each way it can; the same command run again makes it good."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.faults.conftest import OTHER_PAIRS, PAIRS, MakeArena, MakePair
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.faulty import MODES
from tests.faults.rig.nursery import Nursery

INTERRUPTED = ["kill-after"]
"""Before its first call a command has done nothing, and between two calls nothing happens: these are all."""
UNCONFIRMED = [*INTERRUPTED, "unconfirmed"]
in_pairs = pytest.mark.parametrize(
    ("queues", "failed"), [*PAIRS, *(pytest.param(*pair, marks=pytest.mark.long) for pair in OTHER_PAIRS)]
)
ENDS = (0, 1, 7, 69, -9)


def modes(*quick: str) -> pytest.MarkDecorator:
    """In which a test sweeps: these; every one in a long run."""
    return pytest.mark.parametrize("modes", [quick, pytest.param(MODES, marks=pytest.mark.long)], ids=["quick", "all"])


def drain(arena: Arena, nursery: Nursery, queues: Iterable[str]) -> None:
    ended = nursery.run(arena.project, "work", f"--queue={','.join(queues)}", "--stop-when-empty")
    assert ended.code == 0, ended


def retry_and_retry(arena: Arena, nursery: Nursery, modes: Iterable[str], collecting: str) -> None:
    """For each fault two failed jobs, of which one has not been collected yet, are retried twice."""
    queues = []
    for fault in arena.sweep("*", modes):
        queue = fault.name
        queues.append(queue)
        arena.bury(arena.project.connection, job(f"{queue}.0", queue=queue))
        arena.bury(collecting, job(f"{queue}.1", queue=queue))
        words = ("retry", "--queue", queue)
        assert nursery.run(arena.project, *words, fault=fault.environment).code in ENDS
        again = nursery.run(arena.project, *words)
        assert again.code == 0, again
    drain(arena, nursery, queues)
    arena.check()
    assert arena.places() == {}


@pytest.mark.fault("F4", "F22", "F39")
@modes(*UNCONFIRMED)
def test_any_call_of_a_retry_may_go_wrong(arena: Arena, nursery: Nursery, modes: tuple[str, ...]) -> None:
    """Interrupted anywhere and run again, it has pushed each job once, and left nothing in the failed store."""
    retry_and_retry(arena, nursery, modes, arena.project.connection)


@pytest.mark.fault("F4", "F22", "F39")
@in_pairs
@modes(*UNCONFIRMED)
def test_any_call_of_a_retry_between_stores_may_go_wrong(
    queues: str, failed: str, make_pair: MakePair, nursery: Nursery, modes: tuple[str, ...]
) -> None:
    """Some rows collected in the other store, some not yet: each job is pushed once."""
    arena = make_pair(queues, failed)
    retry_and_retry(arena, nursery, modes, arena.collecting)


def forget_and_flush(arena: Arena, nursery: Nursery, modes: Iterable[str], collecting: str) -> None:
    """For each fault three failed jobs, of which two are forgotten, twice; then for each fault everything, twice."""
    kept = set()
    for fault in arena.sweep("*", modes):
        jobs = [job(f"{fault.name}.{number}") for number in range(3)]
        arena.bury(arena.project.connection, jobs[0])
        arena.bury(collecting, *jobs[1:])
        words = ("forget", jobs[0].uuid, jobs[1].uuid, "--yes")
        assert nursery.run(arena.project, *words, fault=fault.environment).code in ENDS
        assert nursery.run(arena.project, *words).code in (0, 1)
        kept.add(f"{fault.name}.2")
    assert arena.places() == {key: ["failed"] for key in kept}
    for fault in arena.sweep("*", modes):
        arena.bury(arena.project.connection, job(f"{fault.name}.3"))
        arena.bury(collecting, job(f"{fault.name}.4"))
        assert nursery.run(arena.project, "flush", "--force", fault=fault.environment).code in ENDS
        assert nursery.run(arena.project, "flush", "--force").code == 0
        assert arena.places() == {}


@pytest.mark.fault("F4")
@modes(*INTERRUPTED)
def test_any_call_of_a_forget_or_flush_may_go_wrong(arena: Arena, nursery: Nursery, modes: tuple[str, ...]) -> None:
    """Interrupted anywhere and run again, exactly what was meant is gone, and no job was pushed."""
    forget_and_flush(arena, nursery, modes, arena.project.connection)


@pytest.mark.fault("F4")
@in_pairs
@modes(*INTERRUPTED)
def test_any_call_of_a_forget_or_flush_between_stores_may_go_wrong(
    queues: str, failed: str, make_pair: MakePair, nursery: Nursery, modes: tuple[str, ...]
) -> None:
    """What is deleted in one store does not come back from the other."""
    arena = make_pair(queues, failed)
    forget_and_flush(arena, nursery, modes, arena.collecting)


@pytest.mark.fault("F4", "F22")
@modes(*UNCONFIRMED)
def test_any_call_of_a_relay_may_go_wrong(
    store: str, make_arena: MakeArena, nursery: Nursery, modes: tuple[str, ...]
) -> None:
    """Killed or cut off anywhere between the outbox and the store, it is run again, and each job is done once."""
    arena = make_arena(store, retry_after=2, outbox="app")
    queues = []
    for fault in arena.sweep("*", modes):
        queues.append(fault.name)
        arena.keep_in_outbox(*(job(f"{fault.name}.{number}", queue=fault.name) for number in range(3)))
        assert nursery.run(arena.project, "relay", fault=fault.environment).code in ENDS
    arena.await_expiry()
    assert nursery.run(arena.project, "relay").code == 0
    drain(arena, nursery, queues)
    arena.check()
    assert arena.places() == {}
