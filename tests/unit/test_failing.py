"""Failed jobs that are collected in another store: moved there, never lost on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import RLock

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.memory import MemoryFailedStore
from queuectl.drivers.memory_removed import MemoryRemovedStore
from queuectl.drivers.sync import SyncDriver
from queuectl.errors import DriverUnavailable, UsageError
from queuectl.failing import FailedJobs, Relay, relay_failed
from queuectl.jobs.outcome import FailedRecord, Problem
from queuectl.jobs.payload import encode


def record(number: int, *, failed_at: float = 1_000.0, connection: str = "near") -> FailedRecord:
    uuid = f"{number:08x}-0000-4000-8000-000000000000"
    payload = encode(job="Mail", arguments="{}", uuid=uuid)
    return FailedRecord(uuid, connection, "mail", payload, "Mail", 3, Problem("E", "m", "text"), failed_at + number)


@pytest.fixture
def near() -> Iterator[SyncDriver]:
    driver = SyncDriver.from_config(Connection("near", "sync"), clock=FakeClock())
    yield driver
    driver.close()


@pytest.fixture
def far() -> Iterator[SyncDriver]:
    driver = SyncDriver.from_config(Connection("far", "sync"), clock=FakeClock())
    yield driver
    driver.close()


def test_everything_is_carried_whole(near: SyncDriver, far: SyncDriver) -> None:
    """More than one page; payload and traceback included."""
    records = [record(number) for number in range(450)]
    near.failed.add(records)
    assert relay_failed(near.failed, far.failed) == 450
    assert (near.failed.count(), far.failed.count()) == (0, 450)
    carried = far.failed.get(records[7].uuid)
    assert carried is not None
    assert (carried.payload, carried.text, carried.failed_at) == (records[7].payload, "text", records[7].failed_at)


class SometimesAway(MemoryFailedStore):
    """A store whose server is away for a while."""

    is_away = True

    def add(self, records: Sequence[FailedRecord]) -> None:
        if self.is_away:
            raise DriverUnavailable("The far server cannot be reached.")
        super().add(records)


def test_a_collecting_store_that_is_away_costs_nothing(near: SyncDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows stay where they are, said once; when it is back they follow, said once."""
    monkeypatch.setattr("queuectl.failing.PATIENCE", 0)
    lock, notes = RLock(), list[str]()
    far = SometimesAway(lock, MemoryRemovedStore(lock, FakeClock()), lambda record, watch: None)
    near.failed.add([record(1), record(2)])
    relay = Relay(near.failed, far, notes.append)
    relay()
    relay()
    assert (near.failed.count(), far.count(), len(notes)) == (2, 0, 1)
    far.is_away = False
    relay()
    assert (near.failed.count(), far.count()) == (0, 2)
    assert notes[1] == "Failed jobs are collected again."


def test_a_relay_moves_a_bounded_number_at_a_time(near: SyncDriver, far: SyncDriver) -> None:
    """A worker has leases to renew between two calls."""
    near.failed.add([record(number) for number in range(250)])
    relay = Relay(near.failed, far.failed, print)
    relay()
    assert far.failed.count() == 100
    relay()
    relay()
    assert far.failed.count() == 250


def test_a_job_in_both_stores_is_one_job(near: SyncDriver, far: SyncDriver) -> None:
    """The collecting store's row counts."""
    for driver in (near, far):
        driver.failed.add([record(1)])
    jobs = FailedJobs({"near": near, "far": far}, owner={}.get, far="far", now=lambda: 0.0)
    assert [found.store for found in jobs.all()] == ["far"]


def test_an_id_in_two_stores_is_refused(near: SyncDriver, far: SyncDriver) -> None:
    """Without a collecting store the two rows are two jobs."""
    for driver in (near, far):
        driver.failed.add([record(1)])
    jobs = FailedJobs({"near": near, "far": far}, owner={}.get, now=lambda: 0.0)
    with pytest.raises(UsageError, match="near and far"):
        jobs.find(record(1).uuid)
    assert jobs.find("nobody") is None
