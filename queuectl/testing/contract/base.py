"""The fixtures of the contract, and short words for what its tests do all the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from queuectl.clock import Clock, FakeClock
from queuectl.config import Connection
from queuectl.drivers import build
from queuectl.drivers.contract import Driver, Reserved, Settlement, Verdict
from queuectl.jobs.outcome import Entry, Failed, FailedRecord, Outcome, Problem, Unique
from queuectl.jobs.payload import encode, identity, new_uuid

GONE, APPLIED = Verdict.GONE, Verdict.APPLIED


class Contract:
    """A driver, its clock, and a rival: a second driver object on the same store, as another worker has."""

    @pytest.fixture
    def connection(self) -> Connection:
        """Override: an empty store, with its tables made."""
        raise NotImplementedError("Give your test class a `connection` fixture.")

    def build(self, connection: Connection, clock: Clock | None) -> Driver:
        """Override for a driver that is not registered by name."""
        return build(connection, clock=clock)

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def driver(self, connection: Connection, clock: FakeClock) -> Iterator[Driver]:
        driver = self.build(connection, clock)
        yield driver
        driver.close()

    @pytest.fixture
    def rival(self, connection: Connection, clock: FakeClock, driver: Driver) -> Iterator[Driver]:
        if driver.immediate:  # its store is the object itself
            yield driver
            return
        rival = self.build(connection, clock)
        yield rival
        rival.close()

    @pytest.fixture(autouse=True)
    def _only_where_the_store_is_shared(self, request: pytest.FixtureRequest, driver: Driver) -> None:
        if driver.immediate and request.node.get_closest_marker("shared_store"):
            pytest.skip("an immediate driver's store is one object of one process")


def entry(
    queue: str = "mail",
    *,
    delay: float = 0.0,
    unique: Unique | None = None,
    arguments: str = "{}",
    payload: bytes | None = None,
    at: float = 1_800_000_000,
) -> Entry:
    """A job on its way, in our own envelope unless a payload is given; made *at* this time, where a clock starts."""
    uuid = new_uuid()
    if payload is None:
        payload = encode(job="SendWelcome", arguments=arguments, uuid=uuid, created_at=at)
    return Entry(queue, payload, uuid, delay=delay, unique=unique)


def push(driver: Driver, *entries: Entry) -> list[str]:
    return driver.push(entries or [entry()])


def reserve(driver: Driver, *queues: str, room: int = 1) -> list[Reserved]:
    """What a worker of these queues gets."""
    return driver.exchange([], queues or ("mail",), room)[1]


def reserve_one(driver: Driver, *queues: str) -> Reserved:
    [reserved] = reserve(driver, *queues)
    return reserved


def settle(driver: Driver, reserved: Reserved, outcome: Outcome) -> Verdict:
    """The verdict on one outcome; nothing is reserved."""
    [verdict], nothing = driver.exchange([Settlement(reserved, outcome)], ["mail"], 0)
    assert nothing == []
    return verdict


def uuid_of(reserved: Reserved) -> str:
    return identity(reserved.payload)[0]


def uuids_of(reservations: Sequence[Reserved]) -> list[str]:
    return [uuid_of(reserved) for reserved in reservations]


def failure(reserved: Reserved, clock: Clock, *, unlock: tuple[str, ...] = ()) -> Failed:
    return Failed(record(reserved, clock), unlock=unlock)


def record(
    reserved: Reserved, clock: Clock, *, message: str = "no such user", text: str = "Traceback …\nValueError"
) -> FailedRecord:
    uuid, job = identity(reserved.payload)
    return FailedRecord(
        uuid=uuid,
        connection="primary",
        queue=reserved.queue,
        payload=reserved.payload,
        job=job,
        attempts=reserved.attempts,
        problem=Problem("builtins.ValueError", message, text),
        failed_at=clock.now(),
    )


def fail_one(driver: Driver, clock: Clock, queue: str = "mail") -> str:
    """Push a job, fail it, and return its uuid."""
    [uuid] = push(driver, entry(queue))
    reserved = reserve_one(driver, queue)
    assert settle(driver, reserved, failure(reserved, clock)) is APPLIED
    return uuid
