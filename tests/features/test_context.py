"""What goes with a job: from who dispatched it into its run, its log, and the jobs that it dispatches."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from queuectl import Job, UsageError
from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.jobs.context import MOST, carried, carry, carrying
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from queuectl.log import stop_writing, write_to
from queuectl.testing import InlineWorker

heard: list[Any] = []
logger = logging.getLogger("queuectl.tests.context")


@pytest.fixture(autouse=True)
def _silence() -> None:
    heard.clear()


class Inner(Job):
    def handle(self) -> None:
        heard.append(("inner", dict(carried())))
        logger.warning("at work")


class Outer(Job):
    def handle(self) -> None:
        heard.append(("outer", dict(carried())))
        carry("step", "2")
        Inner.dispatch()


def test_it_goes_with_a_job_and_on_with_its_jobs(worker: InlineWorker) -> None:
    """And with nobody else's: what a job adds ends with it."""
    with carrying(request_id="7f3a", traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"):
        Outer.dispatch()
    Inner.dispatch()
    worker.run_due()
    came = {"request_id": "7f3a", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    assert sorted(heard, key=str) == sorted([("outer", came), ("inner", {}), ("inner", {**came, "step": "2"})], key=str)
    assert carried() == {}


def test_it_goes_with_each_of_many(worker: InlineWorker) -> None:
    """In one push."""
    with carrying(batch="nightly"):
        Job.dispatch_many([Inner(), Inner()])
    worker.run_due()
    assert heard == [("inner", {"batch": "nightly"})] * 2


def test_it_comes_again_with_each_attempt(app: App, worker: InlineWorker, clock: FakeClock) -> None:
    """And with another life."""
    with carrying(request_id="7f3a"):
        Fails.dispatch()
    worker.run_due()
    failed = app.driver("main").failed
    failed.retry([job.uuid for job in failed.page().items])
    worker.run_due()
    assert heard == [{"request_id": "7f3a"}] * 2


class Fails(Job):
    def handle(self) -> None:
        heard.append(dict(carried()))
        raise ValueError


def test_a_payload_cannot_carry_what_nobody_could(app: App, worker: InlineWorker) -> None:
    """Whoever wrote it: the rest of the context, and the job, are not harmed by it."""
    payload = json.loads(encode(job="Inner", arguments="{}", uuid=(uuid := new_uuid())))
    last = {key: payload.pop(key) for key in ("id", "attempts")}
    payload["more"] = {"context": {"good": "yes", "number": 7, "bad name": "x", "line": "a\nb", "long": "x" * 513}}
    app.registry.add(Inner)
    app.driver("main").push([Entry("default", json.dumps({**payload, **last}).encode(), uuid)])
    worker.run_due()
    assert heard == [("inner", {"good": "yes"})]


@pytest.mark.parametrize(
    "values",
    [{"a b": "x"}, {"name": "x" * 513}, {"name": "a\x1bb"}, {f"n{number}": "x" for number in range(MOST + 1)}],
    ids=["name", "long", "control", "many"],
)
def test_what_cannot_be_carried_is_refused(values: dict[str, str]) -> None:
    """Where it is said, not where it would be missed."""
    with pytest.raises(UsageError, match="carried"), carrying(**values):
        pass
    assert carried() == {}


def test_what_is_carried_may_be_dropped() -> None:
    """By nothing."""
    with carrying(request_id="1", tenant="a"):
        carry("tenant", None)
        assert carried() == {"request_id": "1"}


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    write_to(tmp_path / "q.log", "info", form=request.param)
    yield tmp_path / "q.log"
    stop_writing()


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """One will do where the store has no part in it."""
    return "sqlite" if "log" in request.fixturenames else str(getattr(request, "param", "sqlite"))


def test_the_log_of_a_job_says_which_it_is(worker: InlineWorker, log: Path) -> None:
    """Its name, id, queue and attempt, and what came with it; secrets masked."""
    with carrying(request_id="7f3a", api_token="s3cr3t-canary"):
        uuid = Inner.dispatch()
    worker.run_due()
    [line] = log.read_text().splitlines()
    assert "s3cr3t-canary" not in line
    if line.startswith("{"):
        expected = {
            "message": "at work",
            "level": "warning",
            "job": "Inner",
            "id": uuid,
            "queue": "default",
            "attempt": 1,
        }
        assert json.loads(line).items() >= {**expected, "request_id": "7f3a", "api_token": "***"}.items()
    else:
        assert line.endswith(
            f" at work [job=Inner, id={uuid}, queue=default, attempt=1, request_id=7f3a, api_token=***]"
        )
