"""Jobs as a part of the application's own transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from queuectl import Job
from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.database.address import parse
from queuectl.errors import CannotJoin, UsageError
from queuectl.migrations import migrate
from queuectl.testing.databases import drop_database, fresh_database
from queuectl.testing.worker import InlineWorker
from queuectl.transactions.dbapi import SqliteCaller
from tests.features.callers import DATABASES, KINDS, execute, plainly, session

MANY = 1_000
heard: list[Any] = []


@pytest.fixture(autouse=True)
def _silence() -> None:
    heard.clear()


class Order(Job):
    number: int

    def handle(self) -> None:
        heard.append(self.number)


@pytest.mark.parametrize(("store", "kind"), KINDS)
class TestUsing:
    """`using` a connection or a session: the job is there exactly if the transaction commits."""

    def test_committed_it_is_there(self, caller: Any, ends: Any, worker: InlineWorker, app: App) -> None:
        """And not a moment before."""

        def work() -> str:
            uuid = Order.using(caller).dispatch(number=1)
            heard.append(app.driver("main").counts())
            return uuid

        uuid = ends(work)
        assert heard.pop() == {}
        [ran] = worker.run_due()
        assert ran.uuid == uuid
        assert heard == [1]

    def test_rolled_back_it_never_was(self, caller: Any, ends: Callable[..., Any], worker: InlineWorker) -> None:
        """As anything else in the transaction."""
        ends(lambda: Order.using(caller).dispatch(number=1), well=False)
        assert worker.run_due() == []

    def test_queue_and_delay_count(
        self, caller: Any, ends: Callable[..., Any], worker: InlineWorker, app: App, clock: FakeClock
    ) -> None:
        """As with any dispatch; many at once too."""
        ends(lambda: Order.using(caller).on_queue("late").later(60).dispatch_many(Order(n) for n in range(210)))
        assert app.driver("main").counts() == {"late": app.driver("main").counts(["late"])["late"]}
        assert worker.run_due() == []
        clock.sleep(61)
        worker.run_due()
        assert heard == list(range(210))

    def test_payloads_arrive_as_they_are(self, caller: Any, ends: Callable[..., Any], worker: InlineWorker) -> None:
        """Percent signs, colons, quotes and anything that some client library might take for a parameter."""
        text = "100 % of :name, %s %(x)s, ?1, 'x', \"y\", \\, é€"
        ends(lambda: Words.using(caller).dispatch(text=text))
        worker.run_due()
        assert heard == [text]


class Words(Job):
    text: str

    def handle(self) -> None:
        heard.append(self.text)


@pytest.mark.parametrize("store", DATABASES)
@pytest.mark.parametrize("opened", [plainly, session])
def test_of_a_thousand_exactly_the_committed_half_run(app: App, worker: InlineWorker, opened: Any) -> None:
    """Each with a row of the application's own: what is in its table has run, and nothing else."""
    with opened(app.connection("main").url) as caller:
        execute(caller, "CREATE TABLE orders (number INTEGER)")
        caller.commit()
        for number in range(MANY):
            execute(caller, f"INSERT INTO orders VALUES ({number})")
            Order.using(caller).dispatch(number=number)
            caller.rollback() if number % 2 else caller.commit()
        kept = [number for (number,) in execute(caller, "SELECT number FROM orders ORDER BY number").fetchall()]
    worker.run_due()
    assert heard == kept == list(range(0, MANY, 2))


@pytest.mark.parametrize("store", DATABASES)
class TestElsewhere:
    """A connection that is not to the store of the jobs is refused before anything is done."""

    @pytest.fixture
    def others(self, store: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
        """A database of the same kind that has no jobs."""
        if store == "sqlite":
            yield f"sqlite:///{tmp_path}/other.sqlite"
        else:
            yield (url := fresh_database(request.getfixturevalue(store)))
            drop_database(url)

    @pytest.mark.parametrize("has_tables", [False, True])
    def test_in_another_database(self, app: App, store: str, others: str, has_tables: bool) -> None:
        """With or without a table of that name; afterwards the transaction is as good as before."""
        if has_tables:
            migrate(Connection("other", "database", url=others))
        with session(others) as opened:
            with pytest.raises(CannotJoin, match=r"where the jobs of \[main\] are not kept"):
                Order.using(opened).dispatch(number=1)
            assert execute(opened, "SELECT 1").scalar() == 1

    def test_of_another_kind(self, app: App, store: str, tmp_path: Path) -> None:
        """It says which."""
        other = f"sqlite:///{tmp_path}/o.sqlite" if store != "sqlite" else "postgresql://u@127.0.0.1:1/db"
        opened = PlainDialect(parse(other).dialect.name)
        with pytest.raises(CannotJoin, match=f"is to {opened.dialect}"):
            Order.using(opened).dispatch(number=1)


class PlainDialect(SqliteCaller):
    """A connection that says what it is to, and no more."""

    def __init__(self, dialect: str) -> None:
        super().__init__(None)
        self.dialect = dialect


def test_what_is_no_transaction_is_refused() -> None:
    """By name; one that has to be awaited says how."""
    from sqlalchemy.ext.asyncio import AsyncSession

    with pytest.raises(UsageError, match=r"or a session of SQLAlchemy, not builtins\.int"):
        Order.using(3)  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(UsageError, match="AsyncSession of sqlalchemy cannot be waited for here") as refused:
        Order.using(AsyncSession())
    assert "run_sync" in str(refused.value.hint)


class Alone(Job):
    unique = True

    def handle(self) -> None:
        heard.append("alone")


class Last(Job):
    number: int
    debounce = 60

    def handle(self) -> None:
        heard.append(self.number)


@pytest.mark.parametrize("store", DATABASES)
@pytest.mark.parametrize("opened", [plainly, session])
class TestMarks:
    """What a store is told beside the jobs is a part of the transaction as well."""

    def test_a_unique_key(self, app: App, worker: InlineWorker, opened: Any) -> None:
        """It is free again when the transaction that took it is rolled back; held, it names its holder."""
        with opened(app.connection("main").url) as caller:
            Alone.using(caller).dispatch()
            caller.rollback()
            holder = Alone.using(caller).dispatch()
            assert Alone.using(caller).dispatch() == holder
            caller.commit()
        assert Alone.dispatch() == holder
        worker.run_due()
        assert heard == ["alone"]
        assert Alone.dispatch() != holder

    def test_being_the_last(self, app: App, worker: InlineWorker, clock: FakeClock, opened: Any) -> None:
        """One that was rolled back is not, and the one before it runs."""
        with opened(app.connection("main").url) as caller:
            for number in (1, 2, 3):
                Last.using(caller).dispatch(number=number)
                clock.sleep(1)
                caller.rollback() if number == 3 else caller.commit()
        clock.sleep(61)
        worker.run_due()
        assert heard == [2]
