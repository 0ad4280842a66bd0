"""Waiting for jobs, on the in-memory driver under a clock that a test moves."""

from __future__ import annotations

import pytest

from queuectl.awaiting import Awaited, Ended
from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers import build
from queuectl.drivers.contract import Driver, Reserved, Settlement
from queuectl.drivers.ends import End
from queuectl.jobs.outcome import Done, Entry, Failed, Outcome, Parked, Problem, Release
from queuectl.jobs.payload import encode
from queuectl.outbox import Outbox
from queuectl.runner import Attempt, record

LONG = 1_000.0


@pytest.fixture
def driver(clock: FakeClock) -> Driver:
    return build(Connection(name="memory", driver="sync", retry_after=10_000), clock=clock)


@pytest.fixture
def awaited(driver: Driver, clock: FakeClock) -> Awaited:
    return Awaited("op-1", [], clock=clock)


def push(driver: Driver, uuid: str, queue: str = "mail") -> None:
    driver.push([Entry(queue, encode(job="Mail", arguments="{}", uuid=uuid), uuid)])


def reserve(driver: Driver) -> Reserved:
    _, [reserved] = driver.exchange([], ["mail"], 1)
    return reserved


def settle(driver: Driver, outcome: Outcome) -> None:
    driver.exchange([Settlement(reserve(driver), outcome)], [], 0)


def searched(awaited: Awaited, clock: FakeClock) -> list[Ended]:
    """After more than enough searches."""
    found: list[Ended] = []
    for _ in range(4):
        clock.sleep(LONG)
        found += awaited.look()
    return found


def test_an_end_that_was_told_is_heard_once(driver: Driver, awaited: Awaited) -> None:
    """Under this name only; what has been read is struck."""
    end = End("a", "Mail", "mail", True, 1, 5.0)
    awaited.expect(driver, ["a", "b"])
    driver.control.tell_end("op-2", end)
    assert awaited.look() == []
    driver.control.tell_end("op-1", end)
    assert awaited.look() == [Ended("a", end)]
    assert (awaited.look(), awaited.open, driver.control.ends("op-1")) == ([], 1, [])


def test_a_failure_that_nobody_told_is_found(driver: Driver, awaited: Awaited, clock: FakeClock) -> None:
    """Its worker was killed when it was about to."""
    push(driver, "a")
    awaited.expect(driver, ["a"])
    attempt = Attempt("memory", "mail", b"{}", "a", "Mail", 3)
    settle(driver, Failed(record(attempt, Problem("ValueError", "no", "ValueError: no"), clock.now())))
    [found] = searched(awaited, clock)
    assert (found.done, found.end and found.end.message) == (False, "no")
    assert awaited.open == 0


def test_a_failure_that_was_collected_elsewhere_is_found(driver: Driver, clock: FakeClock) -> None:
    """Carried there by another worker before anybody looked."""
    far = build(Connection(name="far", driver="sync"), clock=clock)
    attempt = Attempt("memory", "mail", b"{}", "a", "Mail", 3)
    far.failed.add([record(attempt, Problem("ValueError", "no", "ValueError: no"), clock.now())])
    awaited = Awaited("op-1", [far.failed], clock=clock)
    awaited.expect(driver, ["a"])
    assert [ended.end and ended.end.message for ended in searched(awaited, clock)] == ["no"]


def test_a_job_that_is_nowhere_is_lost(driver: Driver, awaited: Awaited, clock: FakeClock) -> None:
    """Two searches say so, and no first one: it may have been on its way."""
    push(driver, "a")
    awaited.expect(driver, ["a"])
    settle(driver, Done())
    clock.sleep(LONG)
    assert awaited.look() == []
    clock.sleep(LONG)
    assert awaited.look() == [Ended("a", None)]


@pytest.mark.parametrize("state", ["ready", "running", "delayed", "parked"])
def test_a_job_that_is_somewhere_is_waited_for(driver: Driver, awaited: Awaited, clock: FakeClock, state: str) -> None:
    """However long it takes."""
    push(driver, "a")
    awaited.expect(driver, ["a"])
    match state:
        case "running":
            reserve(driver)
        case "delayed":
            settle(driver, Release(100 * LONG))
        case "parked":
            settle(driver, Parked("unknown job", 60))
    assert searched(awaited, clock) == []
    assert awaited.open == 1


def test_a_job_that_was_missed_once_and_is_there_again_is_not_lost(
    driver: Driver, awaited: Awaited, clock: FakeClock
) -> None:
    """Its end is told later than it happened."""
    awaited.expect(driver, ["a"])
    clock.sleep(LONG)
    assert awaited.look() == []
    driver.control.tell_end("op-1", End("a", "Mail", "mail", True, 1, 5.0))
    clock.sleep(LONG)
    assert [ended.done for ended in awaited.look()] == [True]


def test_an_outbox_is_searched_as_well(driver: Driver, clock: FakeClock) -> None:
    """What it keeps has not begun."""
    keeper = build(Connection(name="app", driver="sync"), clock=clock)
    awaited = Awaited("op-1", [driver.failed], clock=clock, keeper=lambda found: keeper)
    awaited.expect(driver, ["a"])
    push(keeper, "a", Outbox(keeper, "memory").queue("mail"))
    assert searched(awaited, clock) == []


def test_a_store_that_is_away_is_waited_for(clock: FakeClock) -> None:
    """It is said once."""
    notes: list[str] = []
    away = build(Connection(name="redis", driver="redis", url="redis://127.0.0.1:1/0"), clock=clock)
    awaited = Awaited("op-1", [away.failed], clock=clock, note=notes.append)
    awaited.expect(away, ["a"])
    assert searched(awaited, clock) == []
    assert awaited.open == 1
    [note] = notes
    assert note.endswith("Waiting until it is there again.")
