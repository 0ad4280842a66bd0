"""Every push of a producer goes wrong once, in each way it can: what was accepted is there once, whatever else is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, Fault
from tests.faults.rig.faulty import MODES
from tests.faults.rig.nursery import Ended, Nursery

PRODUCER = """
from ledger_jobs import Ledger
from queuectl import Job
from queuectl.errors import DriverUnavailable

def tell(keys, dispatch):
    try:
        dispatch()
    except DriverUnavailable:
        return
    print(*keys, flush=True)

tell(["NAME.0"], lambda: Ledger.dispatch(key="NAME.0"))
tell(["NAME.1"], lambda: Ledger.later(1).dispatch(key="NAME.1"))
many = ["NAME.2", "NAME.3"]
tell(many, lambda: Job.dispatch_many(Ledger(key=key) for key in many))
"""
KEYS = 4


def produce(arena: Arena, nursery: Nursery, fault: Fault, more: Mapping[str, str] | None = None) -> Ended:
    """One process that dispatches four jobs in three pushes."""
    arena.attempted |= {f"{fault.name}.{number}" for number in range(KEYS)}
    environment = {**fault.environment, **(more or {})}
    ended = nursery.python(arena.project, PRODUCER.replace("NAME", fault.name), fault=environment)
    assert ended.code in (0, -9), ended
    arena.acknowledged |= {*ended.stdout.split()}
    return ended


def drain(arena: Arena, nursery: Nursery) -> None:
    arena.await_expiry()
    for words in (["relay"], ["work", "--stop-when-empty"]):
        assert nursery.run(arena.project, *words).code == 0


@pytest.mark.fault("F4", "F22")
def test_any_push_may_go_wrong(arena: Arena, nursery: Nursery) -> None:
    """What was accepted is done once. Beyond that only what a push left whose answer was never heard: all or none of
    its jobs, and its caller was told that it failed."""
    heard: dict[str, set[str]] = {}
    for fault in arena.sweep("push", MODES):
        heard[fault.name] = {*produce(arena, nursery, fault).stdout.split()}
    drain(arena, nursery)
    assert arena.check().recovered == {
        *("kill-after-1.0", "kill-after-2.1", "kill-after-3.2", "kill-after-3.3"),
        *("unconfirmed-1.0", "unconfirmed-2.1", "unconfirmed-3.2", "unconfirmed-3.3"),
    }
    assert heard["kill-before-3"] == {"kill-before-3.0", "kill-before-3.1"}
    assert heard["refused-2"] == {"refused-2.0", "refused-2.2", "refused-2.3"}
    assert arena.project.done().keys() == {event["key"] for event in arena.project.events()}
    assert arena.places() == {}


@pytest.mark.fault("F4", "F22")
def test_any_push_may_go_wrong_beside_an_outbox(store: str, make_arena: MakeArena, nursery: Nursery) -> None:
    """A store that refuses, or that takes a job and does not say so, costs no job and doubles none: the outbox has it
    too, and it is known again when it is carried over."""
    arena = make_arena(store, retry_after=2, outbox="app")
    for fault in arena.sweep("push", ["kill-after", "refused", "unconfirmed"]):
        told = produce(arena, nursery, fault)
        assert told.code == -9 or len(told.stdout.split()) == KEYS
    drain(arena, nursery)
    assert arena.check().recovered == {"kill-after-1.0", "kill-after-2.1", "kill-after-3.2", "kill-after-3.3"}
    assert arena.places() == {}


@pytest.mark.fault("F4", "F22")
@pytest.mark.parametrize("store", ["sqlite", "valkey"])
def test_any_push_into_an_outbox_may_go_wrong(store: str, make_arena: MakeArena, nursery: Nursery) -> None:
    """The store is away: as without an outbox, only what was accepted is promised, and that is done once."""
    arena = make_arena(store, retry_after=2, outbox="app")
    for fault in arena.sweep("push", ["kill-after", "unconfirmed"]):
        produce(arena, nursery, fault, {"AWAY": arena.project.connection})
    assert {place for places in arena.places().values() for place in places} <= {"outbox:ready", "outbox:delayed"}
    drain(arena, nursery)
    assert {key.rpartition("-")[0] for key in arena.check().recovered} == {"kill-after", "unconfirmed"}
    assert arena.places() == {}
