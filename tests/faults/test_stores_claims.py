"""A worker that freezes in the middle of a transaction: others go around what it holds."""

from __future__ import annotations

from contextlib import closing

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Reserved
from queuectl.errors import DriverUnavailable
from queuectl.jobs.outcome import Done
from queuectl.testing.contract.base import APPLIED, GONE, push, reserve, reserve_one, settle
from queuectl.testing.wires import Silence
from tests.acceptance.project import until
from tests.faults.rig.lines import Line
from tests.unit.database.conftest import Raw

on_databases = pytest.mark.parametrize("line", ["postgres", "mariadb"], indirect=True)


@pytest.mark.fault("F24")
@on_databases
def test_a_reservation_is_never_half_made(line: Line, clock: FakeClock) -> None:
    """One statement, or one packet: whoever freezes behind it leaves no lock, only a lease that ends."""
    with (
        closing(line.driver(spoiled=False, clock=clock)) as near,
        closing(line.driver(spoiled=True, clock=clock)) as far,
    ):
        push(near)
        reserve(far, "warm")
        line.wire.spoil(Silence())
        with pytest.raises(DriverUnavailable):
            reserve(far)
        line.wire.mend()
        until(lambda: near.counts(["mail"])["mail"].reserved == 1, "the late request")
        clock.sleep(31)
        assert reserve_one(near).attempts == 2


@pytest.mark.fault("F24")
@on_databases
def test_a_frozen_settlement_holds_up_nobody_else(line: Line, clock: FakeClock) -> None:
    """Its rows are locked until the server gives up on it: the others' jobs go on meanwhile, leases end or not."""
    with closing(line.driver(spoiled=False, clock=clock)) as driver, closing(Raw(line.url)) as frozen:
        push(driver)
        held = reserve_one(driver)
        push(driver)
        with_a_lock_on(frozen, held)
        clock.sleep(31)
        other = reserve_one(driver)
        assert other.attempts == 1
        assert settle(driver, other, Done()) is APPLIED
        with closing(driver.watch(["mail"])) as watch:
            watch.next_check_in()
            assert reserve(driver) == []
            assert watch.next_check_in() > 0, "a lease that cannot be swept is no reason to ask without a pause"
        frozen("ROLLBACK")
        clock.sleep(1)
        again = reserve_one(driver)
        assert (again.id, again.attempts) == (held.id, 2)
        assert [settle(driver, held, Done()), settle(driver, again, Done())] == [GONE, APPLIED]


def with_a_lock_on(frozen: Raw, held: Reserved) -> None:
    frozen("BEGIN")
    frozen("DELETE FROM jobs WHERE id = ?", int(held.id))
