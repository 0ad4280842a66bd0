"""What stands around a job: on every store, and with nothing but the store between the workers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from queuectl import Job, job
from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.errors import ConfigurationError, JobDefinitionError, UsageError
from queuectl.jobs.outcome import Done, Failed, Release
from queuectl.middleware import (
    FailOnException,
    Middleware,
    RateLimited,
    Skip,
    ThrottlesExceptions,
    WithoutOverlapping,
)
from queuectl.testing.worker import InlineWorker
from tests.features.conftest import bound

heard: list[Any] = []


@pytest.fixture(autouse=True)
def _silence() -> None:
    heard.clear()


def hears(name: str) -> Middleware:
    def layer(job: Job, go_on: Callable[[], Any]) -> Any:
        heard.append(f"{name} before {type(job).__name__}")
        try:
            return go_on()
        finally:
            heard.append(f"{name} after")

    return layer


everywhere = hears("everywhere")


class Heard(Job):
    middleware = (hears("outer"), hears("inner"))

    def handle(self) -> None:
        heard.append("handle")


class TestOrder:
    """What is configured stands outside of what the job names, and the first of a list outside of the next."""

    @pytest.fixture
    def middleware(self) -> list[str]:
        return ["tests.features.test_middleware:everywhere"]

    @pytest.fixture(params=["sqlite"])
    def store(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_the_first_is_the_outermost(self, worker: InlineWorker) -> None:
        """And each sees the end of the run on its way out."""
        Heard.dispatch()
        worker.run_due()
        assert heard == [
            "everywhere before Heard",
            "outer before Heard",
            "inner before Heard",
            "handle",
            "inner after",
            "outer after",
            "everywhere after",
        ]

    def test_it_stands_around_jobs_without_any(self, worker: InlineWorker) -> None:
        """Functions as well."""
        plain.dispatch()
        worker.run_due()
        assert heard == ["everywhere before plain", "plain", "everywhere after"]


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("nowhere:x", "The middleware module 'nowhere' cannot be imported"),
        ("tests.features.test_middleware:heard", "is not callable"),
        ("math:sinn", "is nothing"),
    ],
)
def test_configured_middleware_that_is_not_there_is_said(tmp_path: Path, named: str, says: str) -> None:
    """Before any job runs without it."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "queue.toml").write_text(f'middleware = ["{named}"]\n')
    with pytest.raises(ConfigurationError, match=says):
        _ = App.load(tmp_path / "conf" / "queue.toml", env={}).runner


@job
def plain() -> None:
    heard.append("plain")


class Mapped(Job):
    number: int

    def middleware(self) -> list[Middleware]:
        return [Skip.when(self.number > 1), hears(str(self.number))]

    def handle(self) -> None:
        heard.append("handle")


class Wrong(Job):
    def middleware(self) -> Any:
        return "WithoutOverlapping"

    def handle(self) -> None: ...


@pytest.fixture
def on_sync(tmp_path: Path, clock: FakeClock) -> Iterator[App]:
    """An application whose jobs run at once."""
    nowhere = {"driver": "redis", "url": "redis://127.0.0.1:1", "prefix": ""}
    yield from bound(tmp_path, clock, default="sync", middleware=[], **nowhere)


@pytest.mark.usefixtures("on_sync")
class TestAtOnce:
    """On `sync`, where `dispatch` is the run."""

    def test_a_method_says_it_for_each_job(self) -> None:
        """From the job's own arguments; what is skipped is done."""
        Mapped.dispatch(1)
        Mapped.dispatch(2)
        assert heard == ["1 before Mapped", "handle", "1 after"]

    def test_middleware_that_is_none_fails_the_job(self) -> None:
        """With the class and what was found there."""
        with pytest.raises(JobDefinitionError, match=r"Wrong\.middleware must be callables.*'WithoutOverlapping'"):
            Wrong.dispatch()

    def test_a_class_whose_middleware_is_none_is_refused(self) -> None:
        """When it is written."""
        with pytest.raises(JobDefinitionError, match="middleware must be a method, or a sequence of callables"):
            type("Odd", (Job,), {"middleware": 3, "handle": lambda self: None})

    def test_a_function_names_it_with_its_settings(self) -> None:
        """As it does its tries."""

        @job(middleware=[hears("around")])
        def told() -> None:
            heard.append("told")

        told.dispatch()
        assert heard == ["around before told", "told", "around after"]

    def test_locks_of_jobs_at_once_are_of_this_process(self) -> None:
        """A job inside another of the same key finds it at work, and is not run."""
        Nested.dispatch(0)
        assert heard == [0]

    def test_async_middleware_around_a_plain_job_is_refused(self) -> None:
        """Its way on could not be awaited."""

        class Mixed(Job):
            middleware = (awaits,)

            def handle(self) -> None: ...

        with pytest.raises(JobDefinitionError, match=r"Mixed: an `async` middleware, awaits, cannot stand"):
            Mixed.dispatch()


class Nested(Job):
    depth: int
    middleware = (WithoutOverlapping("nested"),)

    def handle(self) -> None:
        heard.append(self.depth)
        if self.depth < 2:
            Nested.dispatch(self.depth + 1)


async def awaits(job: Job, go_on: Callable[[], Awaitable[Any]]) -> Any:
    heard.append("awaits")
    return await go_on()


class Coroutine(Job):
    middleware = (hears("plain"), awaits, hears("within"))

    async def handle(self) -> None:
        await asyncio.sleep(0)
        heard.append(threading.current_thread().name)


@pytest.mark.usefixtures("on_sync")
class TestCoroutines:
    """Around an `async def handle` stand plain and async middleware alike."""

    def test_both_kinds_in_their_order(self) -> None:
        """And `handle` itself is on the loop, where it belongs."""
        Coroutine.dispatch()
        assert heard == [
            "plain before Coroutine",
            "awaits",
            "within before Coroutine",
            "queuectl-async",
            "within after",
            "plain after",
        ]

    def test_a_time_limit_gives_locks_back(self, on_sync: App) -> None:
        """The coroutine is cancelled, and what stands around it hears of it."""
        from queuectl.runner import Attempt

        uuid = "0198c0de-0000-7000-8000-000000000001"
        payload = _payload(uuid)
        on_sync.registry.add(Endless)
        report = on_sync.runner.run(Attempt("sync", "default", payload, uuid, "Endless", 1), timeout=0.05)
        assert report.ending.value == "timed_out"
        assert heard == ["lock before Endless", "lock after"]

    def test_what_it_raises_goes_through(self) -> None:
        """Through threads and loops, as itself."""
        with pytest.raises(ZeroDivisionError):
            Fails.dispatch()
        assert heard == ["lock before Fails", "lock after"]


class Endless(Job):
    middleware = (hears("lock"),)

    async def handle(self) -> None:
        await asyncio.sleep(60)


class Fails(Job):
    middleware = (hears("lock"),)

    async def handle(self) -> None:
        _ = 1 / 0


def _payload(uuid: str) -> bytes:
    from queuectl.jobs.payload import encode

    return encode(job="Endless", arguments="{}", uuid=uuid)


class Alone(Job):
    key: str
    middleware: ClassVar = lambda self: [WithoutOverlapping(self.key, release_after=30)]

    def handle(self) -> None:
        heard.append(self.key)
        during()


during: Callable[[], Any] = lambda: None  # noqa: E731  # replaced by tests


class TestWithoutOverlapping:
    """Two jobs of one key are never at work at once, whichever workers run them."""

    def test_who_comes_second_waits_without_using_an_attempt(
        self, worker: InlineWorker, rival: InlineWorker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another key is no obstacle."""
        Alone.dispatch("a")
        Alone.dispatch("a")
        Alone.dispatch("b")
        meanwhile: list[Any] = []
        monkeypatch.setattr(
            "tests.features.test_middleware.during", lambda: meanwhile or meanwhile.extend(rival.run_due())
        )
        [first] = [worker.run_next()]
        assert first is not None
        assert isinstance(first.outcome, Done)
        assert [type(ran.outcome).__name__ for ran in meanwhile] == ["Release", "Done"]
        assert meanwhile[0].outcome == Release(30.0, spared=True)
        assert heard == ["a", "b"]
        clock.sleep(31)
        [again] = worker.run_due()
        assert again.attempts == 1
        assert heard == ["a", "b", "a"]

    def test_who_waits_leaves_word_of_it(
        self, app: App, worker: InlineWorker, rival: InlineWorker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For `queuectl explain`: why, until when, and which job is in its way."""
        first, second = Alone.dispatch("a"), Alone.dispatch("a")
        monkeypatch.setattr("tests.features.test_middleware.during", lambda: rival.run_due())
        worker.run_next()
        word = app.driver().control.why_put_off(second)
        assert word is not None
        assert word.why == "another job (Alone, key 'a') was at work, and these never overlap"
        assert (word.holder, word.until) == (first, app.clock.now() + 30)
        assert app.driver().control.why_put_off(first) is None

    def test_a_dead_worker_s_lock_is_its_job_s_own(self, app: App, worker: InlineWorker) -> None:
        """The next attempt takes it over; others wait until its time is up."""
        from queuectl.middleware.keys import key_of

        uuid = Alone.dispatch("a")
        lock = key_of("overlap", "a", Alone("a"))
        app.driver("main").control.acquire(lock, uuid, 600.0)
        [ran] = worker.run_due()
        assert isinstance(ran.outcome, Done)
        assert app.driver("main").control.holder(lock) is None

    def test_a_lock_that_nobody_gives_back_ends(self, app: App, worker: InlineWorker, clock: FakeClock) -> None:
        """So nothing waits for ever for a process that was killed."""
        from queuectl.middleware.keys import key_of

        app.driver("main").control.acquire(key_of("overlap", "a", Alone("a")), "somebody", 100.0)
        Alone.dispatch("a")
        assert isinstance(worker.run_due()[0].outcome, Release)
        clock.sleep(101)
        assert isinstance(worker.run_due()[0].outcome, Done)


class Dropped(Job):
    middleware = (WithoutOverlapping("d", release_after=None),)

    def handle(self) -> None:
        heard.append("d")


def test_one_that_is_not_to_wait_is_dropped(app: App, worker: InlineWorker) -> None:
    """As done."""
    from queuectl.middleware.keys import key_of

    app.driver("main").control.acquire(key_of("overlap", "d", Dropped()), "somebody", 100.0)
    Dropped.dispatch()
    assert isinstance(worker.run_due()[0].outcome, Done)
    assert heard == []


class Mail(Job):
    number: int
    middleware = (RateLimited("emails"),)

    def handle(self) -> None:
        heard.append(self.number)


class TestRateLimited:
    """No more than the limit, of all workers together."""

    def test_one_too_many_comes_back_when_there_is_room(
        self, worker: InlineWorker, rival: InlineWorker, clock: FakeClock
    ) -> None:
        """Without using an attempt, and none is lost."""
        for number in range(5):
            Mail.dispatch(number)
        for one in (worker, rival, worker):
            one.run_next()
        rest = rival.run_due()
        assert heard == [0, 1, 2]
        assert all(isinstance(ran.outcome, Release) and ran.outcome.spared for ran in rest)
        clock.sleep(61)
        worker.run_due()
        clock.sleep(61)
        worker.run_due()
        assert sorted(heard) == [0, 1, 2, 3, 4]

    def test_in_no_minute_are_there_more(self, worker: InlineWorker, clock: FakeClock) -> None:
        """Not in those that lie across two windows either, give or take one."""
        for number in range(12):
            Mail.dispatch(number)
        times: list[float] = []
        while len(heard) < 12:
            before = len(heard)
            worker.run_due()
            times += [clock.now()] * (len(heard) - before)
            clock.sleep(5)
        assert max(sum(at <= other < at + 60 for other in times) for at in times) <= 4

    def test_a_limit_that_nobody_set_is_an_error(self, worker: InlineWorker) -> None:
        """That says where to set it."""
        Unknown.dispatch()
        [ran] = worker.run_due()
        assert isinstance(ran.outcome, Failed)
        assert "There is no limit 'mails'; known: emails." in ran.outcome.record.problem.message


class Unknown(Job):
    middleware = (RateLimited("mails"),)

    def handle(self) -> None: ...


class Fragile(Job):
    tries = 10
    middleware = (ThrottlesExceptions(2, within=600),)

    def handle(self) -> None:
        heard.append("tried")
        during()


def _boom() -> None:
    raise OSError("the service is down")


def test_a_service_that_is_down_is_left_alone(
    worker: InlineWorker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many exceptions nothing is begun for a while; then a job that ends well starts the count again."""
    monkeypatch.setattr("tests.features.test_middleware.during", _boom)
    Fragile.dispatch()
    ran = worker.run_due()
    assert heard == ["tried", "tried"]
    assert [one.outcome for one in ran] == [Release(0), Release(0), Release(600.0, spared=True)]
    monkeypatch.setattr("tests.features.test_middleware.during", lambda: None)
    assert worker.run_due() == []
    clock.sleep(601)
    [ran] = worker.run_due()
    assert isinstance(ran.outcome, Done)
    assert ran.attempts == 3


class Final(Job):
    kind: str
    tries = 5
    middleware = (FailOnException(KeyError, lambda error: "final" in str(error)),)

    def handle(self) -> None:
        raise {"key": KeyError, "final": ValueError, "other": ValueError}[self.kind](self.kind)


@pytest.mark.parametrize(("kind", "becomes"), [("key", Failed), ("final", Failed), ("other", Release)])
def test_some_exceptions_are_final(worker: InlineWorker, kind: str, becomes: type) -> None:
    """Whatever tries are left."""
    Final.dispatch(kind)
    [ran] = [worker.run_next()]
    assert ran is not None
    assert isinstance(ran.outcome, becomes)


def test_a_limit_of_nothing_is_refused() -> None:
    """Where it is written."""
    with pytest.raises(UsageError, match="at least 1"):
        RateLimited("x", allow=0)


class Snoozes(Job):
    tries = 1

    def handle(self) -> None:
        heard.append(self.attempts)
        if len(heard) < 4:
            self.snooze(60)


def test_a_snooze_uses_no_attempt(worker: InlineWorker, clock: FakeClock) -> None:
    """However often; `release` does."""
    Snoozes.dispatch()
    for _ in range(4):
        worker.run_due()
        clock.sleep(61)
    assert heard == [1, 1, 1, 1]
    assert worker.run_due() == []
