"""Jobs that complete themselves in a transaction of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from queuectl import Job
from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Settlement, Verdict
from queuectl.jobs.outcome import Done, Failed, Release
from queuectl.jobs.payload import decode
from queuectl.runner import Attempt
from queuectl.testing.worker import InlineWorker
from tests.features.callers import DATABASES, execute, plainly, session

heard: list[Any] = []


@pytest.fixture(autouse=True)
def _silence() -> None:
    heard.clear()


class Order(Job):
    number: int

    def handle(self) -> None:
        heard.append(self.number)


kept = ExitStack()
"""Connections of jobs, which an application keeps when a job has ended."""


class Pays(Job):
    """Its effect is a row; `then` says how the transaction ends."""

    number: int
    then: str = "commits"

    tries = 3

    def handle(self) -> None:
        caller = kept.enter_context(opens())
        heard.append(self.attempts)
        execute(caller, f"INSERT INTO payments VALUES ({self.number})")
        self.complete_in(caller)
        meanwhile()
        if self.then == "raises" and self.attempts == 1:
            caller.rollback()
            raise OSError("try again")
        if self.then != "forgets":
            caller.commit()
        if self.then == "commits, and raises":
            raise OSError("too late")
        if self.then == "commits, and reads":
            execute(caller, "SELECT number FROM payments").fetchall()


def nothing() -> Any: ...


opens: Callable[[], Any] = nothing
"""How `Pays` reaches the database; set by tests."""
meanwhile: Callable[[], Any] = nothing


class TestCompleteIn:
    """The acknowledgement is a part of the job's own transaction: the effect happens exactly once."""

    @pytest.fixture(params=[(store, opened) for store in DATABASES for opened in (plainly, session)])
    def pair(self, request: pytest.FixtureRequest) -> tuple[str, Any]:
        found: tuple[str, Any] = request.param
        return found

    @pytest.fixture
    def store(self, pair: tuple[str, Any]) -> str:
        return pair[0]

    @pytest.fixture(autouse=True)
    def payments(
        self, pair: tuple[str, Any], app: App, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Callable[[], list[int]]]:
        url = app.connection("main").url
        with pair[1](url) as caller:
            execute(caller, "CREATE TABLE payments (number INTEGER)")
            caller.commit()
        monkeypatch.setattr(f"{__name__}.opens", lambda: pair[1](url))

        def read() -> list[int]:
            with pair[1](url) as caller:
                return [number for (number,) in execute(caller, "SELECT number FROM payments").fetchall()]

        with kept:
            yield read

    def test_effect_and_acknowledgement_are_one_step(
        self, app: App, worker: InlineWorker, payments: Callable[[], list[int]], clock: FakeClock
    ) -> None:
        """A worker that dies right after the commit has nothing left to do, and nobody does it again."""
        Pays.dispatch(number=1)
        driver = app.driver("main")
        [reserved] = driver.exchange([], ["default"], 1)[1]
        report = app.runner.run(attempt_of(driver, reserved))
        assert report.joined
        clock.sleep(3600)
        assert worker.run_due() == []
        assert payments() == [1]
        assert driver.counts() == {}

    def test_it_is_done(self, worker: InlineWorker, payments: Callable[[], list[int]]) -> None:
        """For whoever watches as well."""
        Pays.dispatch(number=1)
        [ran] = worker.run_due()
        assert isinstance(ran.outcome, Done)
        assert [type(event).__name__ for event in worker.events][-1] == "JobDone"
        assert payments() == [1]

    def test_rolled_back_it_is_tried_again(self, worker: InlineWorker, payments: Callable[[], list[int]]) -> None:
        """As any job that raises."""
        Pays.dispatch(number=1, then="raises")
        first, second = worker.run_due()
        assert isinstance(first.outcome, Release)
        assert isinstance(second.outcome, Done)
        assert heard == [1, 2]
        assert payments() == [1]

    def test_what_it_raises_afterwards_changes_nothing(
        self, worker: InlineWorker, payments: Callable[[], list[int]]
    ) -> None:
        """It has been done, and is not tried again."""
        Pays.dispatch(number=1, then="commits, and raises")
        [ran] = worker.run_due()
        assert isinstance(ran.outcome, Done)
        assert payments() == [1]

    def test_a_transaction_left_open_is_an_error(self, worker: InlineWorker, payments: Callable[[], list[int]]) -> None:
        """It is rolled back, for it holds what others wait for; nothing was kept, so the job has not been done."""
        Pays.dispatch(number=1, then="forgets")
        *_, last = worker.run_due()
        assert isinstance(last.outcome, Failed)
        assert last.outcome.record.problem.type == "queuectl.errors.TransactionLeftOpen"
        assert payments() == []

    def test_one_begun_afterwards_is_not(self, worker: InlineWorker, payments: Callable[[], list[int]]) -> None:
        """Client libraries begin one at every question."""
        Pays.dispatch(number=1, then="commits, and reads")
        [ran] = worker.run_due()
        assert isinstance(ran.outcome, Done)
        assert payments() == [1]

    def test_a_job_that_is_another_s_by_now_cannot(
        self, app: App, rival: InlineWorker, payments: Callable[[], list[int]], clock: FakeClock
    ) -> None:
        """A worker that was frozen for longer than its lease: its effect is rolled back by the error."""
        Pays.dispatch(number=1)
        driver = app.driver("main")
        [reserved] = driver.exchange([], ["default"], 1)[1]
        clock.sleep(3600)
        rival.run_due()
        report = app.runner.run(attempt_of(driver, reserved))
        assert report.problem is not None
        assert report.problem.type == "queuectl.errors.LeaseGone"
        assert driver.exchange([Settlement(reserved, Release())], [], 0)[0] == [Verdict.GONE]
        assert payments() == [1]


@pytest.mark.parametrize("store", ["postgres", "mariadb"])
def test_a_long_transaction_keeps_nobody_waiting(
    app: App, worker: InlineWorker, rival: InlineWorker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job's row is locked: leases of others are renewed all the same, it is not lost, and nobody else gets it."""
    driver, url = app.driver("main"), app.connection("main").url
    with plainly(url) as caller:
        execute(caller, "CREATE TABLE payments (number INTEGER)")
        caller.commit()
    monkeypatch.setattr(f"{__name__}.opens", lambda: plainly(url))
    Pays.dispatch(number=1)
    Order.on_queue("other").dispatch(number=2)
    [other] = driver.exchange([], ["other"], 1)[1]
    found: list[Any] = []

    def look() -> None:
        [mine] = driver.page("default", "reserved").items
        row = int(mine.id)
        held = Reserved("default", mine.id, mine.payload, 1, (row, token_of(url, row)))
        found.append(driver.renew([held, other]))
        clock.sleep(3600)
        found.append(rival.run_due())
        found.append(driver.renew([held]))

    monkeypatch.setattr(f"{__name__}.meanwhile", look)
    with kept:
        ran = worker.run_next()
    assert ran is not None
    assert isinstance(ran.outcome, Done), worker.events[-1].text
    assert found[0] == []
    assert [one.job for one in found[1]] == ["Order"]
    assert found[2] == []


def token_of(url: str, row: int) -> str:
    with plainly(url) as caller:
        [(token,)] = execute(caller, f"SELECT reserved_by FROM jobs WHERE id = {row}").fetchall()
        return str(token)


class PaysAlone(Pays):
    unique = True


@pytest.mark.parametrize("store", DATABASES)
def test_its_unique_key_is_free_with_the_commit(app: App, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when a worker has heard of it, which may be dead by then."""
    driver, url = app.driver("main"), app.connection("main").url
    with plainly(url) as caller:
        execute(caller, "CREATE TABLE payments (number INTEGER)")
        caller.commit()
    monkeypatch.setattr(f"{__name__}.opens", lambda: plainly(url))
    first = PaysAlone.dispatch(number=1)
    [reserved] = driver.exchange([], ["default"], 1)[1]
    assert PaysAlone.dispatch(number=2) == first
    with kept:
        app.runner.run(attempt_of(driver, reserved))
    assert PaysAlone.dispatch(number=2) != first


def attempt_of(driver: Driver, reserved: Reserved) -> Attempt:
    """As a worker hands it to a child."""
    envelope = decode(reserved.payload)
    return Attempt(
        driver.name, reserved.queue, reserved.payload, envelope.uuid, envelope.job, reserved.attempts,
        driver.receipt(reserved),
    )  # fmt: skip
