"""The queue is away; the application is not."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from queuectl.testing.plugin import start
from queuectl.testing.servers import Server, Valkey
from tests.acceptance.project import until
from tests.example.application import Application
from tests.example.conftest import MakeApplication
from tests.example.test_controllers import AWA, DAYS
from tests.example.test_uploads import JPEG, clock_in

TITLES = "SELECT title FROM notifications"


@pytest.fixture
def redis(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A server of this test alone, which keeps what it was given when it stops."""
    server = start(Valkey, pytestconfig, durable=True)
    yield server
    server.close()


@contextmanager
def locked(application: Application, name: str = "queue.sqlite") -> Iterator[None]:
    """Somebody else writes into a file of the application and does not end."""
    file = application.folder / "storage" / name
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    server.stop()
    yield
    server.start()


def one_of_each(application: Application) -> Counter[str]:
    """Every kind of request that queues something; what must arrive because of them."""
    awa, marc = application.client("awa"), application.client("marc")
    leave = awa.post("/api/conges", json={**DAYS, "reason": "Rest"})
    sent = [
        leave,
        clock_in(awa, JPEG),
        marc.post("/api/evaluations", json={"employee_id": AWA, "score": 3, "comment": "Fine"}),
        marc.post("/api/notifications", json={"user_id": AWA, "title": "News", "message": "Read me"}),
        marc.post(f"/api/conges/{leave.json()['id']}/decision", json={"approved": False}),
    ]
    assert [answer.status_code for answer in sent] == [202, 202, 202, 202, 200]
    return Counter(["Leave requested", "Clocked in", "New evaluation", "News", "Leave refused"])


def arrived(application: Application) -> Counter[str]:
    return Counter(title for (title,) in application.rows(TITLES))


def everything_arrives_once(application: Application, expected: Counter[str]) -> None:
    until(lambda: arrived(application) >= expected, "every notification")
    until(lambda: not sum(application.monitor().values()), "the queues and the outbox to be empty")
    assert arrived(application) == expected
    [photo] = application.client("awa").get("/api/attendance").json()
    assert photo["ready"] is True


def test_a_locked_queue_is_nothing_that_users_notice(make_application: MakeApplication) -> None:
    """The application's own database keeps the jobs; the worker carries them over, each once, when the lock is gone."""
    application = make_application()
    application.serve()
    application.work()
    with locked(application):
        expected = one_of_each(application)
        [(kept,)] = application.rows("SELECT COUNT(*) FROM jobs")
        assert kept == 6
    everything_arrives_once(application, expected)


def test_redis_may_be_down(make_application: MakeApplication, redis: Server) -> None:
    """Before the first job and between jobs."""
    application = make_application(config="redis.toml", REDIS_URL=redis.url)
    application.serve()
    application.work()
    with stopped(redis):
        expected = one_of_each(application)
    everything_arrives_once(application, expected)


def test_what_nobody_could_keep_is_not_accepted(make_application: MakeApplication) -> None:
    """With the outbox away as well, a request says so; the next one that can be kept is kept."""
    application = make_application()
    application.serve()
    marc = application.client("marc")
    news = {"user_id": AWA, "title": "News", "message": "Read me"}
    with locked(application), locked(application, "app.sqlite"):
        refused = marc.post("/api/notifications", json=news)
    assert (refused.status_code, "nobody will be notified" in refused.text) == (503, True)
    assert marc.post("/api/notifications", json=news).status_code == 202
    application.work()
    until(lambda: arrived(application), "the notification")
    until(lambda: not sum(application.monitor().values()), "the queues and the outbox to be empty")
    assert arrived(application) == Counter(["News"])
