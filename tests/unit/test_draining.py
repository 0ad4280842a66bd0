"""When queues have come to rest, on the in-memory driver under a clock that a test moves."""

from __future__ import annotations

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.draining import SILENT, Emptying, Paused, Run
from queuectl.drivers import build
from queuectl.drivers.contract import Driver, Reserved, Settlement
from queuectl.drivers.control import Beat
from queuectl.jobs.outcome import Done, Entry
from queuectl.jobs.payload import encode

LEASE = 30


@pytest.fixture
def driver(clock: FakeClock) -> Driver:
    return build(Connection(name="memory", driver="sync", retry_after=LEASE), clock=clock)


def push(driver: Driver, uuid: str, queue: str = "mail", delay: float = 0) -> None:
    driver.push([Entry(queue, encode(job="Mail", arguments="{}", uuid=uuid), uuid, delay)])


def reserve(driver: Driver, queue: str = "mail") -> Reserved:
    _, [reserved] = driver.exchange([], [queue], 1)
    return reserved


def beat(
    driver: Driver,
    clock: FakeClock,
    queues: tuple[str, ...] = ("mail",),
    *,
    paused: tuple[str, ...] | None,
    uuid: str = "",
) -> None:
    running = ({"job": "Mail", "uuid": uuid, "queue": queues[0], "since": 5.0},) if uuid else ()
    driver.control.beat(
        Beat(f"web-1:7:{queues}", "w", "web-1", 7, queues, 0.0, clock.now(), 1, 0, running=running, paused=paused)
    )


def test_what_runs_is_told_with_its_worker(driver: Driver, clock: FakeClock) -> None:
    """Until its outcome is in the store; what waits is no concern of a pause."""
    for uuid in ("a", "b"):
        push(driver, uuid)
    reserved = reserve(driver)
    beat(driver, clock, paused=("mail",), uuid="a")
    look = Paused(driver, ["mail"], since=clock.now())
    assert look().running == (Run("a", "Mail", "mail", "w on web-1 (7)", 5.0),)
    driver.exchange([Settlement(reserved, Done())], [], 0)
    assert look().is_still


def test_a_worker_that_has_not_heard_of_the_pause_is_waited_for(driver: Driver, clock: FakeClock) -> None:
    """It may be about to reserve; one of other queues may do so."""
    beat(driver, clock, ("mail", "image"), paused=("image",))
    beat(driver, clock, ("other",), paused=())
    look = Paused(driver, ["mail"], since=clock.now())
    assert look().undecided == ("w on web-1 (7)",)
    beat(driver, clock, ("mail", "image"), paused=("mail", "image"))
    assert look().is_still


def test_a_worker_of_an_older_version_is_given_the_time_that_it_needs(driver: Driver, clock: FakeClock) -> None:
    """It does not tell of pauses, but reads them every second."""
    beat(driver, clock, paused=None)
    look = Paused(driver, ["mail"], since=clock.now())
    assert not look().is_still
    clock.sleep(SILENT)
    assert look().is_still


def test_what_a_dead_worker_held_runs_nowhere(driver: Driver, clock: FakeClock) -> None:
    """Once its lease is over; nobody sweeps a queue that is paused."""
    push(driver, "a")
    reserve(driver)
    look = Paused(driver, ["mail"], since=clock.now())
    assert look().running == (Run("a", "Mail", "mail"),)
    clock.sleep(LEASE + 1)
    assert look().is_still


def test_without_names_all_queues_are_meant(driver: Driver, clock: FakeClock) -> None:
    """Also one that no living worker speaks of."""
    push(driver, "a", "lonely")
    reserved = reserve(driver, "lonely")
    beat(driver, clock, paused=())
    look = Paused(driver, [], since=clock.now())
    assert look().undecided
    beat(driver, clock, paused=("mail",))
    assert [run.queue for run in look().running] == ["lonely"]
    driver.exchange([Settlement(reserved, Done())], [], 0)
    assert look().is_still


def test_a_queue_that_is_being_emptied_counts_what_waits(driver: Driver) -> None:
    """Ready, delayed and running, of the queues that are meant."""
    for uuid, delay in (("a", 0), ("b", 0), ("c", 60)):
        push(driver, uuid, delay=delay)
    push(driver, "d", "other")
    reserve(driver)
    rest = Emptying(driver, ["mail"])()
    assert (len(rest.running), rest.pending, rest.delayed, rest.is_still) == (1, 1, 1, False)
    assert Emptying(driver, [])().pending == 2
