"""In the middle of a long backlog, what comes back to its front is still found, and soon."""

from __future__ import annotations

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Reserved, Settlement
from queuectl.drivers.database import DatabaseDriver
from queuectl.jobs.outcome import Done, Entry
from queuectl.jobs.payload import encode, new_uuid
from tests.unit.database.conftest import Raw

LENGTH = 60


def push(driver: DatabaseDriver, queue: str, count: int) -> None:
    uuids = [new_uuid() for _ in range(count)]
    driver.push([Entry(queue, encode(job="A", arguments="{}", uuid=uuid), uuid) for uuid in uuids])


def work(driver: DatabaseDriver, jobs: int) -> list[Reserved]:
    """Finish so many jobs, one at a time; the one that came with the last exchange is still held."""
    held: list[Reserved] = []
    for _ in range(jobs + 1):
        _, held = driver.exchange([Settlement(one, Done()) for one in held], ["high", "low"], 1)
    return held


def put_in_front(raw: Raw, clock: FakeClock, queue: str) -> None:
    """As a lease does that ran out elsewhere: the row stands where it stood."""
    raw(
        "insert into jobs (queue, payload, attempts, available_at, created_at) values (?, '{}', 1, ?, 0)",
        queue,
        int(clock.now()) - 100,
    )


def test_the_last_job_of_a_queue_may_be_its_first(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """An exchange that finds less than there is room for has looked at everything."""
    push(driver, "high", LENGTH)
    held = work(driver, LENGTH - 1)
    put_in_front(raw, clock, "high")
    verdicts, [last] = driver.exchange([Settlement(held[0], Done())], ["high", "low"], 1)
    assert (len(verdicts), last.payload) == (1, b"{}")


def test_room_is_filled_from_the_front_too(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """What is left of the room after the end of a backlog is filled, in the order of the queue."""
    push(driver, "high", LENGTH)
    work(driver, LENGTH - 3)
    put_in_front(raw, clock, "high")
    _, rest = driver.exchange([], ["high", "low"], 10)
    assert [one.attempts for one in rest] == [2, 1, 1]


def test_a_long_drain_takes_every_job_once(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """Whatever comes to the front of it meanwhile, and in whatever queue."""
    push(driver, "high", LENGTH)
    push(driver, "low", LENGTH)
    taken: list[str] = []
    held: list[Reserved] = []
    for turn in range(2 * LENGTH + 7):
        if turn % 20 == 19:
            put_in_front(raw, clock, "high" if turn % 40 == 39 else "low")
        _, held = driver.exchange([Settlement(one, Done()) for one in held], ["high", "low"], 1)
        taken += [one.id for one in held]
    assert len(taken) == len(set(taken)) == 2 * LENGTH + 6
    assert driver.counts(["high", "low"])["low"].size == 0
