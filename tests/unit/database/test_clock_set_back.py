"""A store whose clock was set back: leases that would last for hours last no longer than their holders."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Reserved
from queuectl.drivers.database import DatabaseDriver
from queuectl.drivers.database.ahead import LOOKS_APART
from queuectl.jobs.outcome import Done
from queuectl.testing.contract.base import APPLIED, GONE, push, reserve, reserve_one, settle
from tests.unit.database.conftest import Raw

HOURS = 7200.0


@pytest.fixture
def held(driver: DatabaseDriver, raw: Raw) -> Reserved:
    """A reservation of two hours ago, by a clock that has been set back since."""
    push(driver)
    reserved = reserve_one(driver)
    raw(f"update jobs set lease_until = lease_until + {HOURS}, reserved_at = reserved_at + {HOURS}")
    return reserved


def later(clock: FakeClock, driver: DatabaseDriver, renew: Callable[[], object] = lambda: None) -> list[Reserved]:
    """What can be reserved by the next look but one."""
    found = []
    for _ in range(4):
        clock.sleep(LOOKS_APART / 2 + 1)
        renew()
        found += reserve(driver)
    return found


@pytest.mark.fault("F31")
def test_a_dead_workers_job_comes_back(driver: DatabaseDriver, clock: FakeClock, held: Reserved) -> None:
    """Within minutes, not hours; its old holder is fenced off."""
    [again] = later(clock, driver)
    assert again.attempts == 2
    assert [settle(driver, held, Done()), settle(driver, again, Done())] == [GONE, APPLIED]


@pytest.mark.fault("F31")
def test_a_living_workers_job_stays_its(driver: DatabaseDriver, clock: FakeClock, held: Reserved) -> None:
    """Its next renewal brings the lease back to where it belongs."""
    driver.renew([held])
    assert later(clock, driver, renew=lambda: driver.renew([held])) == []
    assert settle(driver, held, Done()) is APPLIED


@pytest.mark.fault("F31")
def test_longer_leases_of_others_are_left_alone(
    driver: DatabaseDriver, clock: FakeClock, raw: Raw, held: Reserved
) -> None:
    """They are ahead of ours, and they are renewed."""
    assert later(clock, driver, renew=lambda: raw("update jobs set lease_until = lease_until + 20")) == []
    assert settle(driver, held, Done()) is APPLIED
