"""Jobs that follow a commit, and those that would run at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from queuectl import Job, transaction
from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.errors import CannotJoin, UsageError
from queuectl.testing.worker import InlineWorker
from tests.features.callers import CALLERS, DATABASES, KINDS, execute, plainly, session
from tests.features.conftest import bound

heard: list[Any] = []


@pytest.fixture(autouse=True)
def _silence() -> None:
    heard.clear()


class Order(Job):
    number: int

    def handle(self) -> None:
        heard.append(self.number)


class Follows(Job):
    number: int
    after_commit = True

    def handle(self) -> None:
        heard.append(self.number)


@pytest.mark.parametrize(("store", "kind"), KINDS)
class TestAfterCommit:
    """What follows a commit is pushed by us, wherever that is, once there has been one."""

    def test_in_a_block_of_ours(self, caller: Any, app: App, worker: InlineWorker) -> None:
        """Every connection and session can have one: by the class, by the dispatch, and as a part of it."""
        with transaction(caller) as inside:
            Follows.dispatch(number=1)
            Order.on_queue("b").after_commit().dispatch(number=2)
            Order.using(inside).on_queue("c").dispatch(number=3)
            assert app.driver("main").counts() == {}
        worker.run_due()
        assert sorted(heard) == [1, 2, 3]

    def test_a_block_that_raises_is_rolled_back(self, caller: Any, worker: InlineWorker) -> None:
        """With all that was in it."""
        with suppress(ZeroDivisionError), transaction(caller) as inside:
            Follows.dispatch(number=1)
            Order.using(inside).dispatch(number=3)
            _ = 1 / 0
        assert worker.run_due() == []
        Follows.dispatch(number=4)
        worker.run_due()
        assert heard == [4]

    def test_a_block_in_its_own_block_is_refused(self, caller: Any) -> None:
        """The inner one would commit the outer one's work."""
        with (
            suppress(ZeroDivisionError),
            transaction(caller),
            pytest.raises(UsageError, match="in a transaction"),
            transaction(caller),
        ):
            pass

    def test_where_the_library_tells(
        self, kind: str, caller: Any, ends: Callable[..., Any], worker: InlineWorker
    ) -> None:
        """A session of SQLAlchemy and Django need no block of ours; others say that they do."""
        if kind not in ("session", "django"):
            with pytest.raises(UsageError, match="does not tell when it is committed"):
                Order.using(caller).after_commit().dispatch(number=1)
            return
        ends(lambda: Order.using(caller).after_commit().dispatch(number=1))
        ends(lambda: Order.using(caller).after_commit().dispatch(number=2), well=False)
        ends(lambda: Follows.using(caller).dispatch_many([Follows(3), Order(4)]))
        worker.run_due()
        assert heard == [1, 4, 3]


@pytest.mark.parametrize("store", DATABASES)
class TestSavepoints:
    """What is rolled back to takes with it what came after it."""

    def test_of_sessions(self, app: App, worker: InlineWorker) -> None:
        """Both kinds of job, at any depth."""
        with session(app.connection("main").url) as opened:
            for job in (Order.using(opened), Order.using(opened).after_commit()):
                job.dispatch(number=1)
                with opened.begin_nested():
                    job.dispatch(number=2)
                    with suppress(ZeroDivisionError), opened.begin_nested():
                        job.dispatch(number=3)
                        _ = 1 / 0
                    job.dispatch(number=4)
                with suppress(ZeroDivisionError), opened.begin_nested():
                    job.dispatch(number=5)
                    with opened.begin_nested():
                        job.dispatch(number=6)
                    _ = 1 / 0
            opened.commit()
            opened.commit()
            Order.using(opened).after_commit().dispatch(number=7)
            opened.close()
            opened.commit()
        worker.run_due()
        assert sorted(heard) == [1, 1, 2, 2, 4, 4]


class TestDjango:
    """`atomic` is a transaction that the code is in."""

    @pytest.fixture(params=["sqlite", "postgres"])
    def store(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_it_is_found_without_being_named(self, app: App, worker: InlineWorker) -> None:
        """As Laravel does with its own; outside of one, a job goes at once."""
        from django.db.transaction import atomic

        with CALLERS["django"](app.connection("main").url):
            with atomic():
                Follows.dispatch(number=1)
                with suppress(ZeroDivisionError), atomic():
                    Follows.dispatch(number=2)
                    _ = 1 / 0
                assert app.driver("main").counts() == {}
            Follows.dispatch(number=3)
        worker.run_due()
        assert heard == [1, 3]


class TestAtOnce:
    """On `sync` the run follows the commit."""

    @pytest.fixture
    def at_once(self, tmp_path: Path, clock: FakeClock) -> Iterator[str]:
        nowhere = {"driver": "redis", "url": "redis://127.0.0.1:1", "prefix": ""}
        for _ in bound(tmp_path, clock, default="sync", middleware=[], **nowhere):
            yield f"sqlite:///{tmp_path}/app.sqlite"

    def test_what_is_rolled_back_never_runs(self, at_once: str) -> None:
        """In a session, and in a block of ours; a job may use the session itself."""
        with session(at_once) as opened:
            Order.using(opened).dispatch(number=1)
            assert heard == []
            opened.rollback()
            Order.using(opened).dispatch(number=2)
            Uses.using(opened).dispatch()
            shared.append(opened)
            opened.commit()
        with plainly(at_once) as opened, transaction(opened):
            Follows.dispatch(number=3)
            Order.using(opened).after_commit().dispatch(number=4)
            assert heard == [2, "used"]
        assert heard == [2, "used", 3, 4]

    def test_what_a_job_raises_reaches_who_commits(self, at_once: str) -> None:
        """The session goes on."""
        with session(at_once) as opened:
            Broken.using(opened).dispatch()
            with pytest.raises(ZeroDivisionError):
                opened.commit()
            assert execute(opened, "SELECT 1").scalar() == 1

    def test_completing_it_is_nothing(self, at_once: str) -> None:
        """There is no queue that it could be taken out of."""
        with plainly(at_once) as opened:
            shared.append(opened)
            Completes.dispatch()
            assert heard == ["completed"]

    def test_of_a_store_without_transactions(self, at_once: str) -> None:
        """Redis says why it cannot, and what can be done."""
        with session(at_once) as opened, pytest.raises(CannotJoin, match="where no transaction") as refused:
            Order.on_connection("main").using(opened).dispatch(number=1)
        assert "`outbox`" in str(refused.value.hint)
        assert ".after_commit()" in str(refused.value.hint)


shared: list[Any] = []


class Uses(Job):
    def handle(self) -> None:
        assert execute(shared.pop(), "SELECT 1").scalar() == 1
        heard.append("used")


class Broken(Job):
    def handle(self) -> None:
        _ = 1 / 0


class Completes(Job):
    def handle(self) -> None:
        self.complete_in(shared.pop())
        heard.append("completed")
