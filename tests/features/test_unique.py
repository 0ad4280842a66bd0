"""One at a time, or only the last: on every store, whoever dispatches, and whatever becomes of the jobs."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from queuectl import Job, JobDefinitionError, job
from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.events import JobQueued, on
from queuectl.jobs.outcome import Done, Failed, Unique
from queuectl.testing import InlineWorker
from queuectl.unlocking import free_keys

heard: list[Any] = []


@pytest.fixture(autouse=True)
def _silence() -> None:
    heard.clear()


class Report(Job):
    month: str
    how: str = ""

    unique_for = timedelta(hours=1)

    def unique(self) -> str:
        return self.month

    def handle(self) -> None:
        heard.append(self.month)
        if self.how == "again":
            heard.append(Report.dispatch(self.month))
        if self.how == "raise":
            raise ValueError


class Begun(Job):
    unique = True
    unique_until = "processing"

    def handle(self) -> None:
        heard.append("begun")
        if len(heard) == 1:
            Begun.dispatch()


class TestUnique:
    """A second dispatch is none while the first one is there."""

    def test_the_second_is_told_who_is_there(self, worker: InlineWorker) -> None:
        """By the uuid that it gets; another key is no obstacle."""
        first = Report.dispatch("2026-11")
        assert Report.dispatch("2026-11") == first
        assert Report.dispatch("2026-12") != first
        assert [each.job for each in worker.run_due()] == ["Report", "Report"]
        assert heard == ["2026-11", "2026-12"]

    def test_it_is_unique_until_it_is_done(self, worker: InlineWorker) -> None:
        """Also while it runs; then the next one may come."""
        uuid = Report.dispatch("2026-11", "again")
        worker.run_due()
        assert heard == ["2026-11", uuid]
        assert Report.dispatch("2026-11") != uuid
        assert len(worker.run_due()) == 1

    def test_it_may_be_unique_until_it_begins(self, worker: InlineWorker) -> None:
        """So that what changes while it runs has it run again."""
        first = Begun.dispatch()
        assert Begun.dispatch() == first
        worker.run_due()
        assert heard == ["begun", "begun"]

    def test_it_is_free_when_it_has_failed(self, app: App, worker: InlineWorker) -> None:
        """For good; and a retry is no second one of a key that nobody holds."""
        uuid = Report.dispatch("2026-11", "raise")
        [ran] = worker.run_due()
        assert isinstance(ran.outcome, Failed)
        assert Report.dispatch("2026-11") != uuid
        assert app.driver("main").failed.retry([uuid]) == [uuid]

    def test_it_is_free_after_its_time(self, clock: FakeClock, worker: InlineWorker) -> None:
        """Whatever has become of the job."""
        uuid = Report.later(7200).dispatch("2026-11")
        clock.sleep(3601)
        assert Report.dispatch("2026-11") != uuid

    def test_many_at_once_are_one(self, worker: InlineWorker) -> None:
        """In one push as in many."""
        uuids = Job.dispatch_many([Report("2026-11"), Report("2026-11"), Report("2026-12"), Report("2026-11")])
        assert [uuid == uuids[0] for uuid in uuids] == [True, True, False, True]
        assert len(worker.run_due()) == 2

    def test_what_is_cleared_leaves_no_key(self, app: App) -> None:
        """Nor does what is cancelled, in whatever state it was."""
        waits, delayed = Report.dispatch("2026-11"), Report.later(60).dispatch("2026-12")
        driver = app.driver("main")
        free_keys(driver, "default")
        assert driver.clear("default") == 2
        assert Report.dispatch("2026-11") != waits
        assert Report.dispatch("2026-12") != delayed

    def test_a_queue_without_keys_is_not_read(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        """However long it is."""
        driver = app.driver("main")
        monkeypatch.setattr(driver, "page", None)
        free_keys(driver, "default")

    def test_a_key_is_freed_by_its_holder_only(self, app: App) -> None:
        """As by every other way of freeing it."""
        driver, uuid = app.driver("main"), Report.dispatch("2026-11")
        [stored] = driver.find([uuid])
        from queuectl.jobs.locks import lock_in
        from queuectl.jobs.payload import decode

        lock = lock_in(decode(stored.payload).more)
        assert lock is not None
        assert isinstance(lock.unique, Unique)
        assert not driver.unlock("default", lock.unique.key, holder="somebody")
        assert driver.unlock("default", lock.unique.key, holder=uuid)
        assert not driver.unlock("default", lock.unique.key, holder=uuid)

    def test_a_refused_dispatch_is_logged_and_is_no_event(self, app: App, caplog: pytest.LogCaptureFixture) -> None:
        """With the job that is there."""
        undo = on(JobQueued, heard.append)
        with caplog.at_level(logging.INFO, "queuectl.dispatch"):
            uuid = Report.dispatch("2026-11")
            Report.dispatch("2026-11")
        undo()
        assert len(heard) == 1
        assert caplog.messages == [f"Report was not dispatched: job {uuid} holds its unique key."]


class Index(Job):
    shop: str
    number: int

    debounce = 30

    def debounce_key(self) -> str:
        return self.shop

    def handle(self) -> None:
        heard.append((self.shop, self.number))


class TestDebounce:
    """Of several in a while, the last one runs."""

    def test_the_last_one_wins(self, worker: InlineWorker, clock: FakeClock) -> None:
        """Of each key, once its wait is over; the others are done without having run."""
        for number in range(3):
            Index.dispatch("north", number)
            clock.sleep(5)
        Index.dispatch("south", 9)
        assert worker.run_due() == []
        clock.sleep(31)
        outcomes = [each.outcome for each in worker.run_due()]
        assert [type(outcome) for outcome in outcomes] == [Done] * 4
        assert sorted(heard) == [("north", 2), ("south", 9)]

    def test_after_a_run_the_next_one_counts_anew(self, worker: InlineWorker, clock: FakeClock) -> None:
        """It is the last one again."""
        for number in range(2):
            Index.dispatch("north", number)
            clock.sleep(31)
            worker.run_due()
        assert heard == [("north", 0), ("north", 1)]

    def test_a_producer_that_dies_before_it_says_so_loses_none(
        self, app: App, worker: InlineWorker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its job is newer than the one that is known as the last."""
        Index.dispatch("north", 0)
        clock.sleep(1)
        with monkeypatch.context() as patch:
            patch.setattr(app.driver("main").control, "be_newest", lambda *mark: None)
            Index.dispatch("north", 1)
        clock.sleep(31)
        worker.run_due()
        assert sorted(heard) == [("north", 0), ("north", 1)]

    def test_its_own_attempts_are_not_outdone_by_itself(self, worker: InlineWorker, clock: FakeClock) -> None:
        """Its time in the payload and the one that is known are the same number on every store."""
        clock.sleep(0.123456789)
        Index.dispatch("north", 1)
        clock.sleep(31)
        worker.run_due()
        assert heard == [("north", 1)]


class TestAtOnce:
    """On `sync`: while it runs."""

    @pytest.fixture(params=["sqlite"])
    def store(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.mark.usefixtures("app")
    def test_a_unique_job_is_not_begun_inside_itself(self) -> None:
        """And may run again afterwards, well or not."""
        uuid = Nested.on_connection("sync").dispatch()
        assert heard == ["begun", uuid]
        with pytest.raises(ValueError, match="second"):
            Nested.on_connection("sync").dispatch()


class Nested(Job):
    unique = True

    def handle(self) -> None:
        heard.append("begun")
        if len(heard) > 2:
            raise ValueError("second")
        heard.append(Nested.on_connection("sync").dispatch())


def test_a_function_can_be_unique() -> None:
    """As it can have tries."""

    @job(unique=True, unique_for=60)
    def rebuild() -> None: ...

    assert rebuild.job.unique is True


@pytest.mark.parametrize(
    "settings",
    [{"unique": "yes"}, {"unique": True, "unique_until": "later"}, {"debounce": 0}, {"unique": True, "debounce": 5}],
    ids=str,
)
def test_what_means_nothing_is_refused(settings: dict[str, Any]) -> None:
    """When the class is written."""
    with pytest.raises(JobDefinitionError):
        type("Odd", (Job,), {**settings, "handle": lambda self: None})
