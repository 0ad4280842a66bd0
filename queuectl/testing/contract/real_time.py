"""The same promises by the store's own clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from queuectl.config import Connection
from queuectl.drivers.contract import Driver, Reserved
from queuectl.jobs.outcome import Done, Release
from queuectl.testing.contract.base import APPLIED, GONE, Contract, entry, push, reserve, reserve_one, settle

LEASE = 2.0
PATIENCE = 20.0
"""Seconds after which a job that should have come back has not."""
ROUNDING = 0.05
"""Seconds that two clocks of one host may differ."""


@pytest.mark.real_time
class RealTimeContract(Contract):
    """One delay, one lease and one release without a bound clock: seconds are seconds, and never too few."""

    @pytest.fixture
    def driver(self, connection: Connection) -> Iterator[Driver]:
        driver = self.build(replace(connection, retry_after=LEASE), None)
        yield driver
        driver.close()

    def test_the_time_is_that_of_the_store(self, driver: Driver) -> None:
        """On this machine, this machine's."""
        begun = time.time()
        assert begun - ROUNDING <= driver.now() <= time.time() + ROUNDING

    def test_a_delay_takes_its_second(self, driver: Driver) -> None:
        """A job delayed by 1 s is not there at once, and then it is."""
        begun = time.time()
        push(driver, entry(delay=1))
        _await_job(driver)
        assert time.time() - begun >= 1 - ROUNDING

    def test_a_release_takes_its_second(self, driver: Driver) -> None:
        """A job released for 1 s comes back after it, as attempt 2."""
        push(driver)
        reserved, begun = reserve_one(driver), time.time()
        settle(driver, reserved, Release(1))
        assert _await_job(driver).attempts == 2
        assert time.time() - begun >= 1 - ROUNDING

    def test_a_lease_lasts_and_ends(self, driver: Driver) -> None:
        """A vanished worker's job comes back after its 2 s, and the vanished worker is fenced."""
        begun = time.time()
        push(driver)
        lost = reserve_one(driver)
        again = _await_job(driver)
        assert time.time() - begun >= LEASE - ROUNDING
        assert again.attempts == 2
        assert [settle(driver, lost, Done()), settle(driver, again, Done())] == [GONE, APPLIED]

    def test_a_renewed_lease_lasts_longer(self, driver: Driver) -> None:
        """Renewed after half a second, it ends half a second later."""
        push(driver)
        reserved = reserve_one(driver)
        time.sleep(0.5)
        begun = time.time()
        assert driver.renew([reserved]) == []
        _await_job(driver)
        assert time.time() - begun >= LEASE - ROUNDING


def _await_job(driver: Driver) -> Reserved:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for reserved in reserve(driver):
            return reserved
        time.sleep(0.02)
    raise AssertionError(f"no job within {PATIENCE:g} seconds")
