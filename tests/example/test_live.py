"""Notifications that arrive by themselves."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from secrets import token_hex
from typing import Any

import httpx
import pytest

from tests.acceptance.project import until
from tests.example.application import Application
from tests.example.conftest import MakeApplication

AWA, MARC = 2, 1


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """Each event of a stream as its fields, `data` decoded."""
    fields: dict[str, Any] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if not line and "data" in fields:
            yield {**fields, "data": json.loads(fields["data"])}
        fields = {**fields, name: value} if line else {}


def notify(marc: httpx.Client, title: str, user_id: int = AWA) -> None:
    marc.post("/api/notifications", json={"user_id": user_id, "title": title, "message": "Live"}).raise_for_status()


def newest(client: httpx.Client) -> int:
    """The id of the user's newest notification."""
    notes = client.get("/api/notifications").json()["notifications"]
    return int(notes[0]["id"]) if notes else 0


def test_a_notification_arrives_while_one_listens(awa: httpx.Client, marc: httpx.Client) -> None:
    """As the list has it, under the row's id."""
    with awa.stream("GET", "/api/notifications/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        listening = events(answer)
        notify(marc, title := token_hex(8))
        event = next(event for event in listening if event["data"]["title"] == title)
    assert event["id"] == str(event["data"]["id"])
    assert event["data"]["message"] == "Live"


def test_only_one_s_own_notifications_arrive(awa: httpx.Client, lea: httpx.Client, marc: httpx.Client) -> None:
    """Each in order."""
    after = newest(awa)
    mine = [token_hex(8) for _ in range(3)]
    for title in mine:
        notify(marc, token_hex(8), MARC)
        notify(marc, title)
        until(lambda wanted=title: wanted in awa.get("/api/notifications").text, "the notification")
    with awa.stream("GET", f"/api/notifications/stream?after={after}") as answer:
        assert [event["data"]["title"] for event in itertools.islice(events(answer), 3)] == mine


def test_a_lost_connection_goes_on_where_it_was(awa: httpx.Client, marc: httpx.Client) -> None:
    """What came meanwhile comes first, and nothing twice: the browser says what it saw last."""
    titles = [token_hex(8) for _ in range(4)]
    with awa.stream("GET", "/api/notifications/stream") as answer:
        notify(marc, titles[0])
        seen = next(event for event in events(answer) if event["data"]["title"] == titles[0])
    for title in titles[1:3]:
        notify(marc, title)
    until(lambda: all(title in awa.get("/api/notifications").text for title in titles[1:3]), "both")
    last = {"last-event-id": seen["id"]}
    with awa.stream("GET", "/api/notifications/stream?after=0", headers=last) as answer:
        listening = events(answer)
        missed = {next(listening)["data"]["title"] for _ in range(2)}
        notify(marc, titles[3])
        assert (missed, next(listening)["data"]["title"]) == (set(titles[1:3]), titles[3])


@pytest.mark.parametrize("last", ["abc", "-1", "9223372036854775808", "1 OR 1=1"])
def test_a_last_id_that_nobody_was_given_is_refused(awa: httpx.Client, last: str) -> None:
    """Rather than guessed at."""
    with awa.stream("GET", "/api/notifications/stream", headers={"last-event-id": last}) as answer:
        assert answer.status_code == 422


def test_nobody_listens_without_a_session(hr: Application) -> None:
    """The page signs in first."""
    assert hr.client().get("/api/notifications/stream").status_code == 401


def test_sixty_listeners_are_no_burden_and_all_hear_it(hr: Application, awa: httpx.Client, marc: httpx.Client) -> None:
    """More than there are threads: a listener holds none, and other requests are answered meanwhile."""
    with ExitStack() as open_streams, httpx.Client(base_url=hr.url, cookies=awa.cookies, timeout=30) as client:
        streams = [open_streams.enter_context(client.stream("GET", "/api/notifications/stream")) for _ in range(60)]
        assert httpx.get(f"{hr.url}/health").status_code == 200
        notify(marc, title := token_hex(8))
        with ThreadPoolExecutor(60) as threads:
            heard = threads.map(lambda one: any(event["data"]["title"] == title for event in events(one)), streams)
        assert all(heard)


def test_a_stream_ends_when_its_listener_is_gone(make_application: MakeApplication) -> None:
    """The server has nothing left to cancel when it stops."""
    application = make_application()
    server = application.serve()
    awa = application.client("awa")
    for _ in range(3):
        with awa.stream("GET", "/api/notifications/stream") as answer:
            next(answer.iter_lines())
    awa.close()
    server.send_signal(signal.SIGTERM)
    server.wait(30)
    assert application.log("uvicorn") == ""
