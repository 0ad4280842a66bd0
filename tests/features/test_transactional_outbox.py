"""Redis, of which no transaction of a database can be a part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from queuectl import Job
from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.config.loading import load
from queuectl.drivers.contract import Reserved
from queuectl.jobs import runtime
from queuectl.jobs.outcome import Entry, Failed, Unique
from queuectl.jobs.payload import decode
from queuectl.migrations import migrate
from queuectl.outbox import OutboxRelay
from queuectl.testing.worker import InlineWorker
from tests.features.callers import plainly, session

heard: list[Any] = []


@pytest.fixture(autouse=True)
def _silence() -> None:
    heard.clear()


class Order(Job):
    number: int

    def handle(self) -> None:
        heard.append(self.number)


shared: list[Any] = []


class Completes(Job):
    def handle(self) -> None:
        self.complete_in(shared.pop())
        heard.append("completed")


OUTBOX = """
default = "redis"
[connections.redis]
driver = "redis"
url = "{url}"
prefix = "{prefix}"
outbox = "app"
[connections.app]
driver = "database"
url = "{app}"
"""


class TestOutbox:
    """Redis, of which no transaction of a database can be a part: the outbox can, and a relay does the rest."""

    @pytest.fixture(params=[("valkey", "sqlite"), ("valkey", "postgres"), ("redis62", "mariadb")])
    def carried(
        self, request: pytest.FixtureRequest, prefix: str, tmp_path: Path, clock: FakeClock
    ) -> Iterator[tuple[App, str]]:
        """An application with an outbox, and the URL of its own database."""
        queue, store = request.param
        url = f"sqlite:///{tmp_path}/app.sqlite" if store == "sqlite" else request.getfixturevalue(f"{store}_url")
        (tmp_path / "conf").mkdir()
        text = OUTBOX.format(url=request.getfixturevalue(queue).url, prefix=prefix, app=url)
        (tmp_path / "conf" / "queue.toml").write_text(text)
        app = App(load(tmp_path / "conf" / "queue.toml", env={}), clock=clock)
        migrate(app.connection("app"))
        token = runtime.bind(app.runtime)
        yield app, url
        runtime.unbind(token)
        app.close()

    def test_exactly_the_committed_half_gets_there(self, carried: tuple[App, str]) -> None:
        """Each once, though a relay dies in between."""
        app, url = carried
        with plainly(url) as caller:
            for number in range(200):
                Order.using(caller).on_queue("mail").dispatch(number=number)
                caller.rollback() if number % 2 else caller.commit()
        assert app.driver("app").counts()["outbox:redis:mail"].pending == 100
        assert app.driver("redis").counts() == {}
        outbox, target = app.outbox("redis"), app.driver("redis")
        assert outbox is not None
        [(_, dead)] = [app.driver("app").exchange([], ["outbox:redis:mail"], 10)]
        target.push([Entry("mail", one.payload, decode(one.payload).uuid, unique=known(one)) for one in dead])
        app.clock.sleep(3600)
        while OutboxRelay(outbox, target, ["mail"], print)():
            pass
        InlineWorker(app).run_due()
        assert sorted(heard) == list(range(0, 200, 2))

    def test_a_job_of_redis_cannot_complete_itself(self, carried: tuple[App, str]) -> None:
        """Its queue is where no transaction reaches, and the error says so."""
        _, url = carried
        Completes.dispatch()
        with plainly(url) as opened:
            shared.append(opened)
            [ran] = InlineWorker(carried[0]).run_due()
        assert isinstance(ran.outcome, Failed)
        assert "[redis] keeps its jobs where no transaction" in ran.outcome.record.problem.message

    def test_it_may_follow_a_commit(self, carried: tuple[App, str]) -> None:
        """Then it is pushed to Redis itself."""
        app, url = carried
        with session(url) as opened:
            Order.using(opened).after_commit().dispatch(number=1)
            Order.using(opened).after_commit().dispatch(number=2)
            assert app.driver("redis").counts() == {}
            opened.commit()
        assert app.driver("redis").counts()["default"].pending == 2


def known(reserved: Reserved) -> Unique:
    """The key under which a relay pushes."""
    return Unique(f"pushed:{decode(reserved.payload).uuid}", 7200)
