"""Queues in one store, their failed jobs collected in another: a failed job is somewhere at every moment, and once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import cast

import pytest

from queuectl.clock import SystemClock
from queuectl.drivers.contract import FailedStore, Verdict
from queuectl.failing import Relay, relay_failed
from queuectl.jobs.outcome import Failed, FailedRecord
from queuectl.testing.contract.base import record, reserve, settle
from queuectl.testing.server import Server
from tests.acceptance.project import Worker, until
from tests.faults.conftest import OTHER_PAIRS, PAIRS, MakePair
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.nursery import Nursery
from tests.faults.rig.witness import Witness

RELAY = """
from queuectl.app import App
from queuectl.errors import DriverUnavailable

app = App.load()
try:
    for relay in app.relays(app.config.default, ["default"], print):
        relay()
except DriverUnavailable as error:
    print(error)
app.close()
"""
FAILING = [f"f{number}" for number in range(20)]
GOOD = [f"k{number}" for number in range(20)]
TROUBLES = [(*PAIRS[0], "killed"), (*PAIRS[1], "frozen")]
OTHER_TROUBLES = [(*PAIRS[0], "frozen"), (*PAIRS[1], "killed")]


@pytest.mark.fault("F38")
@pytest.mark.parametrize(
    ("queues", "failed"), [*PAIRS, *OTHER_PAIRS[:-1], pytest.param(*OTHER_PAIRS[-1], marks=pytest.mark.long)]
)
def test_any_call_of_what_carries_failed_jobs_may_go_wrong(
    queues: str, failed: str, make_pair: MakePair, nursery: Nursery
) -> None:
    """Killed or cut off between the stores, it leaves each job in one of them or in both; repeated, in one."""
    arena = make_pair(queues, failed)
    with Witness(arena) as witness:
        for fault in arena.sweep("*", ["kill-after", "refused", "unconfirmed"]):
            jobs = [job(f"{fault.name}.{number}") for number in range(2)]
            arena.bury(arena.project.connection, *jobs)
            witness.watch(one.uuid for one in jobs)
            assert nursery.python(arena.project, RELAY, fault=fault.environment).code in (0, -signal.SIGKILL)
            assert nursery.python(arena.project, RELAY).code == 0
    assert witness.looks > 100
    assert witness.missed == set()
    arena.check()
    assert collected(arena) == arena.acknowledged


@pytest.mark.fault("F38")
@pytest.mark.parametrize(
    ("queues", "failed", "trouble"),
    [*TROUBLES, *(pytest.param(*trouble, marks=pytest.mark.long) for trouble in OTHER_TROUBLES)],
)
def test_the_collecting_store_may_be_away(
    queues: str, failed: str, trouble: str, make_pair: MakePair, own_server: Callable[[str], Server]
) -> None:
    """Its workers go on and say so once; what fails stays where it is, is listed, and is collected later. Each job runs
    once, its `failed` hook once, and when it is retried it runs once more."""
    server = own_server(failed)
    arena = make_pair(queues, failed, **{"redis_url" if "redis" in server.url else "database_url": server.url})
    server.kill() if trouble == "killed" else server.freeze()
    jobs = [*(job(key, "Failing") for key in FAILING), *(job(key) for key in GOOD)]
    arena.put(*jobs)
    with Witness(arena) as witness:
        witness.watch(one.uuid for one in jobs[: len(FAILING)])
        worker = arena.project.work("--workers=2")
        arena.await_done(GOOD)
        until(lambda: hooked(arena) == sorted(FAILING), "the hooks of all that failed")
        until(lambda: "collecting store does not answer" in worker.output(), "a word about it")
        server.start() if trouble == "killed" else server.thaw()
        stop(worker)
        arena.project.drain()
    assert witness.missed == set()
    assert witness.looks > 0
    assert worker.output().count("collecting store does not answer") == 1
    assert collected(arena) == {*FAILING}
    (arena.project.folder / "repaired").touch()
    arena.project.cli("retry", "all")
    arena.project.drain()
    arena.check(recounted=FAILING)
    assert arena.places() == {}
    assert attempts(arena, FAILING) == [1, 1]
    assert hooked(arena) == sorted(FAILING)


class Frozen:
    """A collecting store as a relay sees that is frozen before it writes: everything else happens meanwhile."""

    def __init__(self, store: FailedStore, meanwhile: Callable[[], object]) -> None:
        self._store, self._meanwhile = store, meanwhile

    def add(self, records: Sequence[FailedRecord]) -> None:
        self._meanwhile()
        self._store.add(records)


@pytest.mark.fault("F38", "F39")
@pytest.mark.parametrize("fails_again", [False, True])
@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize(("queues", "failed"), PAIRS)
def test_what_a_frozen_relay_carries_late_is_known_again(
    queues: str, failed: str, carried: bool, fails_again: bool, make_pair: MakePair
) -> None:
    """Meanwhile somebody else has carried the job, or nobody; an operator has retried it; perhaps it has failed again,
    and that has been collected. What is retried once more is on its queue, once: it was neither pushed twice nor taken
    for a failure that was retried long ago."""
    arena = make_pair(queues, failed)
    arena.bury(arena.project.connection, job("f"))
    with closing(arena.app()) as app:
        near, far, jobs = app.driver(), app.driver(arena.collecting), app.failed_jobs()

        def meanwhile() -> None:
            if carried:
                jobs.collect()
            assert len(jobs.retry(list(jobs.all()))) == 1
            if fails_again:
                [reserved] = reserve(near, "default")
                again = replace(record(reserved, SystemClock()), connection=near.name)
                assert settle(near, reserved, Failed(again)) is Verdict.APPLIED
                assert relay_failed(near.failed, far.failed) == 1

        Relay(near.failed, cast("FailedStore", Frozen(far.failed, meanwhile)), print)()
        assert len(list(jobs.all())) == 1
        assert len(jobs.retry(list(jobs.all()))) == 1
    assert arena.places() == {"f": ["ready"]}


@pytest.mark.long
@pytest.mark.fault("F38")
def test_a_worker_collects_again_by_itself(make_pair: MakePair, own_server: Callable[[str], Server]) -> None:
    """Within half a minute and a little."""
    server = own_server("valkey")
    arena = make_pair("postgres", "valkey", redis_url=server.url)
    server.kill()
    arena.put(job("f", "Failing"))
    worker = arena.project.work()
    until(lambda: "collecting store does not answer" in worker.output(), "a word about it")
    server.start()
    until(lambda: "Failed jobs are collected again." in worker.output(), "a word of its return", patience=45)
    assert collected(arena) == {"f"}
    stop(worker)


def collected(arena: Arena) -> set[str]:
    """What lies in the collecting store, and there alone."""
    places = arena.places()
    assert {tuple(where) for where in places.values()} == {("failed",)}
    with closing(arena.app()) as app:
        assert app.driver().failed.count() == 0
    return set(places)


def hooked(arena: Arena) -> list[str]:
    return sorted(event["key"] for event in arena.project.events() if event["ev"] == "failed")


def attempts(arena: Arena, keys: Iterable[str]) -> list[int]:
    """Under which numbers each of these was started: the same for all."""
    [found] = {tuple(event["attempt"] for event in arena.project.starts(key)) for key in keys}
    return list(found)


def stop(worker: Worker) -> None:
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
