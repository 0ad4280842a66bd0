"""A test's own queue: what is asserted of it, and that nothing of a job gets there which a payload cannot carry."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from queuectl import InvalidArguments, Job, job
from queuectl.app import App
from queuectl.config.loading import load
from queuectl.jobs.outcome import Done, Failed, Release
from queuectl.testing import Queue

ran: list[Any] = []


class Receipt(Job):
    order: int
    day: date = date(2026, 11, 24)
    tags: list[str] | None = None

    queue = "mail"
    tries = 2

    def handle(self) -> None:
        ran.append(self.order)
        if self.order == 13:
            self.snooze(60)
        if self.order == 0:
            raise ValueError("no such order")


class Audit(Job):
    def handle(self) -> None:
        Receipt.dispatch(1)


@job
def count(shelf: int) -> None:
    ran.append(shelf)


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Stores that nobody can reach: a fake that asked one would fail."""
    (tmp_path / "queue.toml").write_text(
        'default = "redis"\n[connections.redis]\ndriver = "redis"\nurl = "redis://127.0.0.1:1"\n'
        '[connections.other]\ndriver = "database"\nurl = "postgresql://127.0.0.1:1/x"\noutbox = "database"\n'
    )
    return App(load(tmp_path / "queue.toml", env={}, start=tmp_path))


@pytest.fixture
def queue(app: App) -> Iterator[Queue]:
    ran.clear()
    with Queue.fake(app) as queue:
        yield queue


class TestLooking:
    """What was dispatched, where, and with what."""

    def test_what_was_dispatched_is_there(self, queue: Queue) -> None:
        """As a worker would get it, in order."""
        uuid = Receipt.dispatch(order=12, tags=["a"])
        Receipt.on_connection("other").on_queue("low").later(60).dispatch(order=14)
        first, second = queue.dispatched(Receipt)
        assert (first.job, first.uuid) == (Receipt(12, tags=["a"]), uuid)
        assert (first.connection, first.queue, first.delay) == ("redis", "mail", 0.0)
        assert (second.connection, second.queue, second.delay) == ("other", "low", 60.0)
        assert [each.job.order for each in queue.dispatched(Receipt, where=lambda job: job.order > 12)] == [14]

    def test_assertions_hold(self, queue: Queue) -> None:
        """About classes and functions, from wherever it was dispatched."""
        Receipt.dispatch(12)
        Job.dispatch_many([Receipt(13), Audit()])
        threading.Thread(target=count.dispatch, args=(4,)).start()
        asyncio.run(count.adispatch(5))
        queue.assert_dispatched(Receipt)
        queue.assert_dispatched(Receipt, times=2, on_queue="mail", on_connection="redis")
        queue.assert_dispatched(Receipt, times=1, where=lambda job: job.order == 13)
        queue.assert_dispatched(count, times=2)
        queue.assert_not_dispatched(Receipt, on_queue="low")
        queue.assert_not_dispatched(count, where=lambda job: job.shelf == 6)
        queue.assert_count(5)

    def test_nothing_is_nothing(self, queue: Queue) -> None:
        """And a job that was refused is not there."""
        with pytest.raises(InvalidArguments):
            Receipt.dispatch("twelve")  # type: ignore[arg-type]  # that is the point
        queue.assert_nothing_dispatched()

    def test_a_complaint_shows_what_there_was(self, queue: Queue) -> None:
        """With arguments, place and delay."""
        Receipt.later(60).dispatch(12)
        with pytest.raises(AssertionError) as complaint:
            queue.assert_dispatched(Receipt, times=2, on_queue="low")
        assert str(complaint.value) == (
            "Receipt was dispatched to low 0 times, not 2 times. Dispatched:\n"
            "  Receipt(order=12, day=datetime.date(2026, 11, 24), tags=None) to redis@mail in 60 s"
        )
        with pytest.raises(AssertionError, match="1 jobs were dispatched, not 0"):
            queue.assert_nothing_dispatched()
        with pytest.raises(AssertionError, match="Receipt was dispatched, where that was asked 1 times"):
            queue.assert_not_dispatched(Receipt, where=lambda job: True)

    def test_of_many_some_are_shown(self, queue: Queue) -> None:
        """And how many more there are."""
        Job.dispatch_many([Receipt(number) for number in range(25)])
        with pytest.raises(AssertionError, match="and 15 more"):
            queue.assert_nothing_dispatched()


class TestRunning:
    """What was dispatched runs when a test says so, under a clock that it moves."""

    def test_what_is_due_runs(self, queue: Queue) -> None:
        """And what that dispatches; what waits, waits."""
        Audit.dispatch()
        Receipt.later(60).dispatch(2)
        assert [(each.job, type(each.outcome)) for each in queue.run_due()] == [("Audit", Done), ("Receipt", Done)]
        queue.clock.sleep(61)
        assert [each.job for each in queue.run_due()] == ["Receipt"]
        assert ran == [1, 2]

    def test_tries_and_releases_are_those_of_a_worker(self, queue: Queue) -> None:
        """With the exception in the outcome."""
        Receipt.dispatch(0)
        Receipt.dispatch(13)
        outcomes = [each.outcome for each in queue.run_due()]
        assert [type(outcome) for outcome in outcomes] == [Release, Failed, Release]
        failed = outcomes[1]
        assert isinstance(failed, Failed)
        assert failed.record.problem.message == "no such order"
        queue.clock.sleep(61)
        assert [type(each.outcome) for each in queue.run_due()] == [Release]

    def test_a_connection_of_its_own(self, queue: Queue) -> None:
        """Has a worker of its own."""
        count.on_connection("other").dispatch(7)
        assert queue.run_due() == []
        assert [each.job for each in queue.run_due("other")] == ["count"]


def test_only_some_may_be_kept(app: App) -> None:
    """The others go their way: here to a server that is away."""
    from queuectl.errors import DriverUnavailable

    with Queue.fake(app, only=[Receipt]) as queue:
        Receipt.dispatch(1)
        with pytest.raises(DriverUnavailable):
            Audit.dispatch()
        queue.assert_count(1)
    app.close()


def test_afterwards_everything_is_as_it_was(app: App) -> None:
    """Also where the test has failed."""
    from queuectl.jobs import runtime

    before = runtime.bound_to_process()
    with pytest.raises(RuntimeError), Queue.fake(app):
        raise RuntimeError
    assert runtime.bound_to_process() is before


PROGRAM = """
from queuectl import Job


class Mail(Job):
    def handle(self) -> None: ...


def test_mail(fake_queue):
    Mail.dispatch()
    fake_queue.assert_dispatched(Mail, times=1)
"""


def test_the_fixture_comes_with_the_package(tmp_path: Path) -> None:
    """In a project that says nothing of it."""
    (tmp_path / "test_mail.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mail.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_plug_in_that_nobody_uses_imports_nothing() -> None:
    """Neither drivers, nor jobs, nor pydantic: every run of pytest in that environment loads it."""
    source = (
        "import sys, pytest; before = set(sys.modules); "
        "import queuectl.testing.fixtures; print(*set(sys.modules) - before)"
    )
    shown = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout.split()
    assert "queuectl.testing.fixtures" in shown
    heavy = ("pydantic", "queuectl.app", "queuectl.drivers", "queuectl.jobs.definition", "queuectl.worker", "tomli")
    assert [name for name in shown if name.startswith(heavy)] == []


def test_it_is_of_use_without_pytest(tmp_path: Path) -> None:
    """As in a unittest, or a script."""
    source = (
        "import sys\n"
        "from queuectl import Job\n"
        "from queuectl.testing import Queue\n"
        "class Mail(Job):\n    def handle(self): ...\n"
        "with Queue.fake() as queue:\n    Mail.dispatch()\n    queue.assert_dispatched(Mail)\n    queue.run_due()\n"
        "assert 'pytest' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", source], cwd=tmp_path, check=True)
