"""Several threads, processes and workers on one store."""

from __future__ import annotations

import os
import select
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Settlement, Watch
from queuectl.jobs.outcome import Done, Release
from queuectl.testing.contract.base import Contract, entry, push, reserve, reserve_one, settle, uuid_of, uuids_of

THREADS = 6
PATIENCE = 10.0
"""Seconds of the host's clock after which something that should have come has not come."""


class Sharing(Contract):
    """Everybody sees the same store, and nobody gets what somebody else has."""

    def test_workers_reserving_at_once_never_share_a_job(self, driver: Driver, rival: Driver) -> None:
        """Many threads on two driver objects empty a queue: each job is reserved once."""
        uuids = push(driver, *(entry() for _ in range(120)))
        start = Barrier(THREADS)

        def drain(worker: Driver) -> list[Reserved]:
            start.wait(PATIENCE)
            got: list[Reserved] = []
            while some := reserve(worker, room=3):
                got += some
            return got

        with ThreadPoolExecutor(THREADS) as pool:
            got = [one for some in pool.map(drain, [driver, rival] * (THREADS // 2)) for one in some]
        assert sorted(uuids_of(got)) == sorted(uuids)
        assert {reserved.attempts for reserved in got} == {1}

    def test_workers_settling_and_reserving_at_once_run_each_job_once(self, driver: Driver, rival: Driver) -> None:
        """With pushes in between: every job that was pushed is done once, and nothing is left."""
        start = Barrier(THREADS)

        def work(worker: Driver) -> tuple[list[str], list[str]]:
            start.wait(PATIENCE)
            pushed: list[str] = []
            done: list[str] = []
            held: list[Reserved] = []
            for _ in range(15):
                pushed += push(worker, entry(), entry())
                held = _turn(worker, held, done)
            while held:
                held = _turn(worker, held, done)
            return pushed, done

        with ThreadPoolExecutor(THREADS) as pool:
            results = [*pool.map(work, [driver, rival] * (THREADS // 2))]
        pushed = sorted(uuid for some, _ in results for uuid in some)
        assert sorted(uuid for _, some in results for uuid in some) == pushed
        assert driver.counts(["mail"])["mail"].size == 0

    def test_one_settlement_of_many_is_applied(self, driver: Driver, rival: Driver) -> None:
        """The same `Done` with a follower, sent by several threads at once, pushes it once."""
        push(driver)
        [reserved] = reserve(driver)
        outcome = Done(then=(entry("next"),))
        with ThreadPoolExecutor(4) as pool:
            verdicts = [*pool.map(lambda one: settle(one, reserved, outcome), [driver, rival] * 2)]
        assert sorted(verdict.value for verdict in verdicts) == ["applied", "gone", "gone", "gone"]
        assert len(reserve(driver, "next", room=5)) == 1

    def test_one_expired_lease_goes_to_one_worker(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """Workers that sweep at once bring a lost job back once."""
        uuids = push(driver, *(entry() for _ in range(10)))
        reserve(driver, room=10)
        clock.sleep(driver.retry_after + 1)
        with ThreadPoolExecutor(4) as pool:
            got = [one for some in pool.map(lambda one: reserve(one, room=10), [driver, rival] * 2) for one in some]
        got += reserve(driver, room=10)
        assert sorted(map(uuid_of, got)) == sorted(uuids)
        assert {reserved.attempts for reserved in got} == {2}

    def test_one_delayed_job_goes_to_one_worker(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """Workers that see it fall due at once get it once."""
        uuids = push(driver, *(entry(delay=5) for _ in range(10)))
        clock.sleep(5)
        with ThreadPoolExecutor(4) as pool:
            got = [one for some in pool.map(lambda one: reserve(one, room=3), [driver, rival] * 2) for one in some]
        got += reserve(driver, room=10)
        assert sorted(map(uuid_of, got)) == sorted(uuids)

    def test_a_job_on_its_way_is_counted_once(self, driver: Driver, rival: Driver) -> None:
        """All states are counted at one moment: who waits for an empty queue must not miss a job between two states."""
        push(driver)
        with ThreadPoolExecutor(1) as pool:
            moving = pool.submit(_move, rival, 200)
            sizes = {driver.counts(["mail"])["mail"].size for _ in iter(moving.done, True)}
        moving.result()
        assert sizes <= {1}

    @pytest.mark.shared_store
    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking beside threads is what we test
    def test_a_driver_survives_a_fork(self, driver: Driver) -> None:
        """The child opens its own connection, and the parent's goes on: neither hears the other's answers."""
        first = push(driver)
        child = os.fork()
        if child == 0:
            _push_and_exit(driver)
        second = push(driver)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        got = uuids_of(reserve(driver, room=30))
        assert len(got) == 12
        assert {*first, *second} <= {*got}

    def test_a_watch_tells_that_work_has_come(self, driver: Driver, rival: Driver) -> None:
        """A push by somebody else is noticed by the descriptor or by the next check."""
        watch = driver.watch(["high", "mail"])
        try:
            for queue in ("mail", "high"):
                assert reserve(driver, "high", "mail") == []
                assert 0 <= watch.next_check_in() <= 1
                push(rival, entry(queue))
                assert _noticed(watch)
                assert len(reserve(driver, "high", "mail")) == 1
        finally:
            watch.close()

    def test_an_idle_watch_bears_being_asked(self, driver: Driver) -> None:
        """With nothing to tell it says so in time, again and again, before and after work."""
        watch = driver.watch(["mail"])
        try:
            for _ in range(3):
                assert 0 <= watch.next_check_in() <= 1
                watch.drain()
            push(driver)
            reserve(driver)
            watch.next_check_in()
            watch.drain()
        finally:
            watch.close()
            watch.close()


def _turn(worker: Driver, held: list[Reserved], done: list[str]) -> list[Reserved]:
    """Settle what is held, reserve anew; about every third job is released once."""
    outcomes = [
        Release(0) if reserved.attempts == 1 and int(uuid_of(reserved)[0], 16) % 3 == 0 else Done() for reserved in held
    ]
    verdicts, got = worker.exchange([Settlement(*pair) for pair in zip(held, outcomes, strict=True)], ["mail"], 4)
    assert {verdict.value for verdict in verdicts} <= {"applied"}
    done += [uuid_of(reserved) for reserved, outcome in zip(held, outcomes, strict=True) if outcome == Done()]
    return got


def _push_and_exit(driver: Driver) -> None:
    """In a forked child: no assertion, no cleanup of the parent's may run here."""
    code = 1
    try:
        signal.alarm(int(PATIENCE))
        for _ in range(10):
            push(driver)
        code = 0
    finally:
        os._exit(code)


def _noticed(watch: Watch) -> bool:
    """Wait as a worker does, until the watch says that an exchange is worth its cost."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        pause, descriptor = watch.next_check_in(), watch.fileno()
        select.select([] if descriptor is None else [descriptor], [], [], pause)
        if watch.drain():
            return True
    return False


def _move(driver: Driver, times: int) -> None:
    """Reserve the only job and put it back, again and again."""
    for _ in range(times):
        settle(driver, reserve_one(driver), Release(spared=True))
