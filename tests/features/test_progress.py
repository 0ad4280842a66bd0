"""How far a job is, for people to see; never in the job's way."""

from __future__ import annotations

from typing import Any

import pytest

from queuectl import Job
from queuectl.app import App
from queuectl.drivers.control import Progress
from queuectl.errors import DriverUnavailable
from queuectl.jobs.outcome import Done
from queuectl.testing import InlineWorker


class Import(Job):
    rows: int

    def handle(self) -> None:
        for row in range(self.rows):
            self.progress(row / self.rows, f"row {row}")
        self.progress(1, "done")


class Coroutine(Job):
    async def handle(self) -> None:
        self.progress(0.5, "half")


class Wrong(Job):
    def handle(self) -> None:
        self.progress(40)


def test_what_a_job_says_can_be_read(app: App, worker: InlineWorker) -> None:
    """The last word of it; of a job that says nothing, nothing."""
    uuid = Import.dispatch(1000)
    assert app.driver("main").control.progress(uuid) is None
    worker.run_due()
    assert app.driver("main").control.progress(uuid) == Progress(1, "done")


class TestOnOneStore:
    """Where the store has no part in it, one will do."""

    @pytest.fixture(params=["sqlite"])
    def store(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_it_is_said_seldom(self, app: App, worker: InlineWorker, monkeypatch: pytest.MonkeyPatch) -> None:
        """A thousand words in a moment are two: the first and the last."""
        said: list[Any] = []
        monkeypatch.setattr(app.driver("main").control, "show_progress", lambda *words: said.append(words[1]))
        Import.dispatch(1000)
        worker.run_due()
        assert said == [0.0, 1]

    def test_a_store_that_is_away_is_no_error(
        self, app: App, worker: InlineWorker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The job goes on."""

        def away(*words: object) -> None:
            raise DriverUnavailable("gone")

        monkeypatch.setattr(app.driver("main").control, "show_progress", away)
        Import.dispatch(2)
        [ran] = worker.run_due()
        assert isinstance(ran.outcome, Done)

    def test_coroutines_say_it_too(self, app: App, worker: InlineWorker) -> None:
        """In a thread, for the loop is others' as well."""
        from tests.acceptance.project import until

        uuid = Coroutine.dispatch()
        worker.run_due()
        until(lambda: app.driver("main").control.progress(uuid) == Progress(0.5, "half"), "the coroutine's word")

    def test_a_fraction_is_from_0_to_1(self, worker: InlineWorker) -> None:
        """Percents are an error that says so."""
        Wrong.dispatch()
        [ran] = worker.run_due()
        assert "fraction from 0 to 1, not 40" in str(ran.outcome)


def test_only_a_running_job_has_progress() -> None:
    """As with `release`."""
    from queuectl.errors import NotRunning

    with pytest.raises(NotRunning):
        Import(1).progress(0.5)
