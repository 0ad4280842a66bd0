"""What is written down of a command, and when."""

from __future__ import annotations

from io import StringIO

import pytest

from queuectl.clock import FakeClock
from queuectl.commands.output import Output
from queuectl.commands.recording import Recording
from queuectl.commands.session import Session
from queuectl.config import Connection
from queuectl.drivers.control import MOST_OPERATIONS
from queuectl.drivers.operation import Operation
from queuectl.drivers.sync import SyncDriver
from queuectl.errors import DriverUnavailable, TableMissing
from tests.unit.cli.conftest import Site


@pytest.fixture
def driver() -> SyncDriver:
    return SyncDriver.from_config(Connection("memory", "sync"), clock=FakeClock())


@pytest.fixture
def session(site: Site) -> Session:
    found = Session(Output(StringIO(), StringIO(), StringIO(), {"SUDO_USER": "ann"}))
    found.words = ["flush", "--error-like", "password=s3cr3t-canary"]
    return found


def test_an_operation_is_on_record_before_anything_is_changed(session: Session, driver: SyncDriver) -> None:
    """So that what a killed command removed can be found; it grows with what was done."""
    with Recording(session, "flush", undoable=True) as recording:
        recording.begin([driver])
        [begun] = driver.control.operations()
        assert (begun.id, begun.count, begun.undoable) == (recording.keep, 0, True)
        recording.add(driver, 500)
        recording.add(driver, 7)
    [done] = driver.control.operations()
    assert (done.count, done.verb, done.who.partition("@")[0]) == (507, "flush", "ann")
    assert done.words == "flush --error-like password=***"


def test_a_long_command_line_is_cut(session: Session, driver: SyncDriver) -> None:
    """A shell may have put a thousand ids into it."""
    session.words = ["retry", *(f"{number:08x}-0000-4000-8000-000000000000" for number in range(1000))]
    with Recording(session, "retry") as recording:
        recording.add(driver)
    [operation] = driver.control.operations()
    assert (len(operation.words), operation.words[:20], operation.words[-1]) == (1000, "retry 00000000-0000-", "…")


def test_what_changed_nothing_is_struck_off(session: Session, driver: SyncDriver) -> None:
    """Nobody wants to read of it; nor of a dry run."""
    with Recording(session, "flush") as recording:
        recording.begin([driver])
    with Recording(session, "flush", dry_run=True) as recording:
        recording.begin([driver])
        recording.add(driver, 3)
    assert driver.control.operations() == []


def test_what_was_cut_off_stays_on_record(session: Session, driver: SyncDriver) -> None:
    """The store may have done it all the same."""
    for error in (KeyboardInterrupt(), DriverUnavailable()):
        with pytest.raises(type(error)):
            _cut_off(session, driver, error)
    assert [operation.verb for operation in driver.control.operations()] == ["flush", "flush"]


def test_what_a_store_cannot_do_at_all_is_struck_off(session: Session, driver: SyncDriver) -> None:
    """Its tables are not there: nothing was changed."""
    with pytest.raises(TableMissing):
        _cut_off(session, driver, TableMissing())
    assert driver.control.operations() == []


def _cut_off(session: Session, driver: SyncDriver, error: BaseException) -> None:
    with Recording(session, "flush") as recording:
        recording.begin([driver])
        raise error


def test_it_is_told_how_much_can_be_undone(session: Session, driver: SyncDriver) -> None:
    """All of it, as a rule; of very much only the last."""
    told = session.output.stderr
    assert isinstance(told, StringIO)
    for count, words in ((7, "Kept until "), (300_000, "The last 250,000 are kept until ")):
        with Recording(session, "flush", undoable=True) as recording:
            recording.add(driver, count)
        recording.tell_undo()
        last = told.getvalue().splitlines()[-1]
        assert (last.startswith(words), f"`queuectl undo {recording.id}`" in last) == (True, True)


def test_the_record_does_not_grow_for_ever(driver: SyncDriver) -> None:
    """Cron may do something every minute: the oldest make room."""
    for number in range(MOST_OPERATIONS + 5):
        driver.control.record(Operation(f"op-{number}", "retry", "retry all", "cron@shop", float(number), count=1))
    driver.control.record(Operation("op-last", "flush", "flush", "ann@shop", 5000.0))
    found = driver.control.operations()
    assert (len(found), found[0].id, found[-1].id) == (MOST_OPERATIONS, "op-last", "op-6")
