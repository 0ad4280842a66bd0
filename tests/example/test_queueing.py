"""What the queue does for the application: accept now, work later, urgent first; and what it is like without one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from queuectl.testing.databases import drop_database, fresh_database
from tests.acceptance.project import until
from tests.example.application import Application
from tests.example.conftest import MakeApplication
from tests.example.test_controllers import AWA, DAYS
from tests.example.test_uploads import JPEG, clock_in

TITLES = "SELECT title FROM notifications ORDER BY id"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database; none for SQLite files."""
    if request.param == "sqlite":
        yield ""
        return
    url = fresh_database(request.getfixturevalue("postgres"))
    yield url
    drop_database(url)


def notifier(application: Application, **changes: object) -> Callable[[str], int]:
    """Notify Awa: from a title to the status of the answer."""
    marc = application.client("marc")
    about = {"user_id": AWA, "message": "Hello", **changes}
    return lambda title: marc.post("/api/notifications", json={**about, "title": title}).status_code


def test_with_its_workers_stopped_it_accepts_everything_and_loses_nothing(
    make_application: MakeApplication, place: str
) -> None:
    """A hundred requests, eight at a time: monitor shows them, a worker drains them, each arrives once."""
    application = make_application(database_url=place)
    application.serve()
    titles = {f"number {n}" for n in range(100)}
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(notifier(application), sorted(titles))) == {202}
    assert sum(application.monitor().values()) == 100
    assert application.rows(TITLES) == []
    application.work()
    until(lambda: len(application.rows(TITLES)) >= 100, "a hundred notifications")
    until(lambda: not sum(application.monitor().values()), "the queues to be empty")
    assert sorted(title for (title,) in application.rows(TITLES)) == sorted(titles)


def test_urgent_notifications_go_first(make_application: MakeApplication) -> None:
    """Also the ones that came last: a high priority, and the decision on a leave."""
    application = make_application()
    application.serve()
    awa, marc = application.client("awa"), application.client("marc")
    leave = awa.post("/api/conges", json={**DAYS, "reason": "Rest"}).json()["id"]
    for n in range(5):
        notifier(application)(f"normal {n}")
    notifier(application, priorite="haute")("urgent")
    marc.post(f"/api/conges/{leave}/decision", json={"approved": True})
    assert application.monitor() == {"database:notifications": 6, "database:notifications-high": 2}
    application.drain()
    titles = [title for (title,) in application.rows(TITLES)]
    assert titles == ["urgent", "Leave approved", "Leave requested", *(f"normal {n}" for n in range(5))]


def test_without_a_queue_everything_happens_inside_the_request(make_application: MakeApplication) -> None:
    """QUEUE_CONNECTION=sync: slower, and there when it is answered; no line of the application is different."""
    application = make_application(QUEUE_CONNECTION="sync")
    application.serve()
    assert notifier(application)("at once") == 202
    assert application.rows(TITLES) == [("at once",)]
    assert clock_in(application.client("awa"), JPEG).json()["ready"] is True


def test_a_service_of_the_application_broadcasts_each_notification(make_application: MakeApplication) -> None:
    """Named by the environment, found in the application's own module, in the worker as in the server."""
    application = make_application(QUEUE_NOTIFICATION_SERVICE="hr.services:StatedBroadcast", HR_BROADCAST_MS="1")
    application.serve()
    notifier(application)("broadcast")
    application.drain()
    [(sent,)] = application.rows("SELECT broadcast_at FROM notifications")
    assert sent is not None


def test_the_configuration_of_the_example_is_what_its_readme_says(make_application: MakeApplication) -> None:
    """Both files resolve, and both let the application's own database stand in for the queue."""
    for config in ("queue.toml", "redis.toml"):
        shown = make_application(config=config).cli("config", "--show-origin")
        assert re.search(r"\.outbox\W+app\b", shown), shown
