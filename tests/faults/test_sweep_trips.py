"""A process dies in the middle of a call, between two of its statements or packets: the call is done whole, or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest

from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import job
from tests.faults.rig.nursery import Nursery

PROGRAM = """
from queuectl.app import App
from queuectl.drivers.contract import Settlement
from queuectl.jobs.outcome import Done, Failed, Release
from queuectl.jobs.payload import identity
from tests.faults.rig.arena import job, record
from tests.faults.rig.trips import Trips

trips = Trips()
driver = App.load().driver()
_, (first, second) = driver.exchange([], ["NAME"], 2)
more = [job(f"NAME.{number}", queue=f"NAME-{number % 2}") for number in range(2, 6)]
rows = [row.uuid for row in driver.failed.page(queue="NAME").items]
trips.counted = True
"""
EXCHANGE = "driver.exchange([Settlement(first, OUTCOME), Settlement(second, Done())], ['NAME'], 1)"
CALLS = {
    "fail": EXCHANGE.replace(
        "OUTCOME", "Failed(record(identity(first.payload)[0], driver.name, first.queue, first.payload))"
    ),
    "release": EXCHANGE.replace("OUTCOME", "Release(60)"),
    "finish": EXCHANGE.replace("OUTCOME", "Done(then=tuple(more))"),
    "push": "driver.push(more)",
    "retry": "driver.failed.retry(rows)",
}
Found = Mapping[str, Sequence[str]]
NOWHERE: list[str] = []


def is_whole(call: str, found: Found) -> bool:
    """Whether what lies where is what was there before the call, or what comes of it."""
    first, _, *more, one, other = (list(found.get(which, ())) for which in ("0", "1", "2", "3", "4", "5", "f0", "f1"))
    match call:
        case "fail":
            return first in (["reserved"], ["failed"])
        case "release":
            return first in (["reserved"], ["delayed"])
        case "finish":
            return (first, more) in ((["reserved"], [NOWHERE] * 4), (NOWHERE, [["ready"]] * 4))
        case "push":
            return more in ([NOWHERE] * 4, [["ready"]] * 4)
        case _:
            return all(where in (["failed"], ["ready"]) for where in (one, other))


@pytest.mark.fault("F4", "F21")
def test_a_call_is_done_whole_or_not(store: str, make_arena: MakeArena, nursery: Nursery) -> None:
    """Of a job that was to be failed there is its reservation or its record, never both and never neither; so it is
    with a release, with a finished job and what follows it, with a push of several and with a retry of each."""
    arena = make_arena(store, retry_after=60)
    for call, source in CALLS.items():
        before = arena.struck
        for fault in arena.sweep("trip", ["kill-before"]):
            name = f"{call}-{fault.name}"
            arena.put(*(job(f"{name}.{number}", queue=name) for number in range(2)))
            if call == "retry":
                arena.bury(arena.project.connection, *(job(f"{name}.f{number}", queue=name) for number in range(2)))
            ended = nursery.python(arena.project, (PROGRAM + source).replace("NAME", name), fault=fault.environment)
            assert ended.code in (0, -9), ended
        assert arena.struck > before
    places: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for key, where in arena.places().items():
        name, _, which = key.rpartition(".")
        places[name][which] = where
    assert {name: found for name, found in places.items() if not is_whole(name.partition("-")[0], found)} == {}
