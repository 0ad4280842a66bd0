"""Who listens hears of every step, and cannot stop one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from queuectl import Job
from queuectl.clock import FakeClock
from queuectl.events import JobDone, JobFailed, JobQueued, JobRaised, JobReleased, JobStarting, on
from queuectl.testing import InlineWorker

KINDS = (JobQueued, JobStarting, JobDone, JobReleased, JobRaised, JobFailed)
heard: list[Any] = []


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    heard.clear()
    undone = [on(kind, heard.append) for kind in KINDS]
    yield
    for undo in undone:
        undo()


class Told(Job):
    how: str

    tries = 2

    def handle(self) -> None:
        if self.how == "snooze":
            self.snooze(60)
        if self.how == "raise":
            raise ValueError("no such shelf")


def kinds() -> list[str]:
    return [type(event).__name__ for event in heard]


def test_each_step_is_told(worker: InlineWorker) -> None:
    """With which job it is, where, and at which attempt."""
    uuid = Told.on_queue("mail").dispatch("well")
    worker.run_due()
    assert kinds() == ["JobQueued", "JobStarting", "JobDone"]
    assert [event.job.attempts for event in heard] == [0, 1, 1]
    for event in heard:
        assert (event.job.connection, event.job.queue, event.job.uuid, event.job.job) == ("main", "mail", uuid, "Told")


def test_a_job_that_fails_is_told_at_each_attempt_and_at_its_end(worker: InlineWorker) -> None:
    """The end once its record is durable, as its `failed` hook is called."""
    Told.dispatch("raise")
    worker.run_due()
    assert kinds() == ["JobQueued", *["JobStarting", "JobRaised"] * 2, "JobFailed"]
    assert (heard[-1].error, heard[-1].message) == ("builtins.ValueError", "no such shelf")
    assert "test_events.py" in heard[-1].text


def test_a_job_that_waits_is_told(worker: InlineWorker) -> None:
    """With how long."""
    Told.later(5).dispatch("snooze")
    worker.run_due()
    assert heard[0].delay == 5.0


def test_a_snooze_is_a_release(worker: InlineWorker, clock: FakeClock) -> None:
    """To who listens."""
    Told.dispatch("snooze")
    worker.run_due()
    assert kinds() == ["JobQueued", "JobStarting", "JobReleased"]
    assert heard[-1].after == 60.0


def test_a_listener_that_fails_is_logged_and_stops_nothing(
    worker: InlineWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the job, nor the dispatch, nor those who listen besides."""

    def breaks(event: Any) -> None:
        raise RuntimeError("listener")

    undone = [on(JobDone, breaks), on(JobQueued, breaks)]
    with caplog.at_level(logging.ERROR, "queuectl.events"):
        Told.dispatch("well")
        worker.run_due()
    for undo in undone:
        undo()
    assert kinds() == ["JobQueued", "JobStarting", "JobDone"]
    assert [record.message for record in caplog.records] == [
        "A listener to JobQueued failed.",
        "A listener to JobDone failed.",
    ]


def test_who_stopped_listening_hears_nothing(worker: InlineWorker) -> None:
    """And may say so twice."""
    seen: list[Any] = []
    undo = on(JobQueued, seen.append)
    undo()
    undo()
    Told.dispatch("well")
    assert seen == []


class TestAtOnce:
    """On `sync` all of it is told where `dispatch` is called."""

    @pytest.fixture(params=["sqlite"])
    def store(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.mark.usefixtures("app")
    def test_a_failure_is_told_once(self) -> None:
        """There is one attempt."""
        with pytest.raises(ValueError, match="no such shelf"):
            Told.on_connection("sync").dispatch("raise")
        assert kinds() == ["JobStarting", "JobRaised", "JobFailed"]
