"""What the four controllers do, with a worker behind them."""

from __future__ import annotations

import datetime
from secrets import token_hex
from typing import Any

import httpx
import pytest

from tests.acceptance.project import until

AWA, MARC = 2, 1
"""As the seed makes them."""
DAYS = {"start": "2026-12-01", "end": "2026-12-04"}


def notified(client: httpx.Client, word: str) -> dict[str, Any]:
    """The notification that says *word*, once it is there."""

    def look() -> dict[str, Any] | None:
        notes = client.get("/api/notifications").json()["notifications"]
        return next((note for note in notes if word in note["message"] or word in note["title"]), None)

    found: dict[str, Any] = until(look, f"a notification with {word!r}")
    return found


def request_leave(client: httpx.Client, **changes: object) -> httpx.Response:
    return client.post("/api/conges", json={**DAYS, "reason": "Family", **changes})


# Evaluations


def test_an_evaluation_is_kept_and_its_employee_notified(marc: httpx.Client, awa: httpx.Client) -> None:
    """202: what was written is there at once, word of it comes by itself."""
    comment = f"Good work, {token_hex(4)}."
    made = marc.post("/api/evaluations", json={"employee_id": AWA, "score": 5, "comment": comment})
    assert made.status_code == 202
    listed = awa.get("/api/evaluations").json()[0]
    assert (listed["comment"], listed["score"], listed["name"]) == (comment, 5, "Awa Diop")
    assert notified(awa, "5 of 5")["type"] == "evaluation"


@pytest.mark.parametrize(
    "changes",
    [
        {"score": 0},
        {"score": 6},
        {"score": "many"},
        {"score": 4.5},
        {"comment": ""},
        {"comment": "x" * 501},
        {"comment": "a\0b"},
        {"employee_id": -1},
        {"employee_id": 2**63},
        {"employee_id": None},
    ],
)
def test_an_evaluation_that_makes_no_sense_is_refused(marc: httpx.Client, changes: dict[str, object]) -> None:
    """And says why."""
    body = {"employee_id": AWA, "score": 3, "comment": "Fine", **changes}
    assert marc.post("/api/evaluations", json=body).status_code == 422


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"score": NaN}', b'{"comment": "\\ud800"}'])
def test_a_body_that_is_no_evaluation_is_refused(marc: httpx.Client, content: bytes) -> None:
    """Whatever was sent, it is the sender's error."""
    answer = marc.post("/api/evaluations", content=content, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500


def test_nobody_is_evaluated_who_does_not_exist(marc: httpx.Client) -> None:
    """And nobody notified."""
    body = {"employee_id": 2**62, "score": 3, "comment": "Fine"}
    assert marc.post("/api/evaluations", json=body).status_code == 404


# Leaves


def test_a_leave_is_requested_and_the_manager_notified(awa: httpx.Client, marc: httpx.Client) -> None:
    """It is pending until somebody decides."""
    made = request_leave(awa, start="2027-02-03", end="2027-02-03")
    assert (made.status_code, made.json()["state"]) == (202, "pending")
    assert notified(marc, "from 2027-02-03")["priorite"] == "normale"


def test_a_decision_is_there_when_it_is_answered(awa: httpx.Client, marc: httpx.Client) -> None:
    """Only word of it is queued, as urgent."""
    leave = request_leave(awa, start="2027-03-01", end="2027-03-02").json()["id"]
    decided = marc.post(f"/api/conges/{leave}/decision", json={"approved": True})
    assert (decided.status_code, decided.json()["state"], decided.json()["decided_by"]) == (200, "approved", MARC)
    assert awa.get("/api/conges").json()[0]["state"] == "approved"
    assert notified(awa, "from 2027-03-01")["priorite"] == "haute"


def test_a_leave_is_decided_once(awa: httpx.Client, marc: httpx.Client) -> None:
    """A second decision changes nothing, and is told so."""
    leave = request_leave(awa).json()["id"]
    answers = [marc.post(f"/api/conges/{leave}/decision", json={"approved": approved}) for approved in (False, True)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert awa.get("/api/conges").json()[0]["state"] == "refused"


@pytest.mark.parametrize("leave", ["999999", "0", "-1", "9223372036854775808", "abc", "1.5"])
def test_a_leave_that_does_not_exist_is_not_decided(marc: httpx.Client, leave: str) -> None:
    """Ids that no row can have are refused before anybody looks for them."""
    assert marc.post(f"/api/conges/{leave}/decision", json={"approved": True}).status_code in (404, 422)


def test_a_leave_of_somebody_without_a_manager_is_kept(lea: httpx.Client, marc: httpx.Client) -> None:
    """Any manager sees it."""
    reason = token_hex(8)
    assert request_leave(lea, reason=reason).status_code == 202
    assert marc.get("/api/conges").json()[0]["reason"] == reason


@pytest.mark.parametrize(
    "changes",
    [
        {"end": "2026-11-30"},
        {"start": "2026-02-30"},
        {"start": "tomorrow"},
        {"start": None},
        {"reason": ""},
        {"reason": "a\0b"},
        {"reason": 7},
    ],
)
def test_a_leave_that_makes_no_sense_is_refused(awa: httpx.Client, changes: dict[str, object]) -> None:
    """A leave ends on the day it starts, or later."""
    assert request_leave(awa, **changes).status_code == 422


def test_employees_see_their_own_rows_and_managers_everybody_s(
    awa: httpx.Client, lea: httpx.Client, marc: httpx.Client
) -> None:
    """Whatever the subject."""
    request_leave(awa)
    request_leave(lea)
    for client, names in ((awa, {"Awa Diop"}), (lea, {"Léa Petit"}), (marc, {"Awa Diop", "Léa Petit"})):
        assert {leave["name"] for leave in client.get("/api/conges").json()} >= names
    assert {leave["name"] for leave in awa.get("/api/conges").json()} == {"Awa Diop"}


# Notifications


def test_a_manager_notifies_anybody(awa: httpx.Client, marc: httpx.Client) -> None:
    """202 with the job's id, which the row has too once it is there."""
    word = token_hex(8)
    sent = marc.post("/api/notifications", json={"user_id": AWA, "title": word, "message": "Read me", "type": "news"})
    assert sent.status_code == 202
    note = notified(awa, word)
    assert (note["job_uuid"], note["type"], note["priorite"]) == (sent.json()["job_uuid"], "news", "normale")
    made = datetime.datetime.fromisoformat(note["created_at"])
    assert made.utcoffset() == datetime.timedelta(0)


def test_reading_is_noted_once(awa: httpx.Client, marc: httpx.Client) -> None:
    """The first time counts, and the unread are one fewer."""
    word = token_hex(8)
    marc.post("/api/notifications", json={"user_id": AWA, "title": word, "message": "Read me"})
    note = notified(awa, word)
    before = awa.get("/api/notifications").json()["unread"]
    first, again = (awa.post(f"/api/notifications/{note['id']}/read").json()["read_at"] for _ in range(2))
    assert first == again is not None
    assert awa.get("/api/notifications").json()["unread"] < before


def test_nobody_reads_the_notifications_of_others(awa: httpx.Client, marc: httpx.Client) -> None:
    """A manager neither."""
    word = token_hex(8)
    marc.post("/api/notifications", json={"user_id": AWA, "title": word, "message": "Read me"})
    note = notified(awa, word)
    assert marc.post(f"/api/notifications/{note['id']}/read").status_code == 404
    assert word not in marc.get("/api/notifications").text
    assert notified(awa, word)["read_at"] is None


def test_the_newest_notifications_come_first(awa: httpx.Client, marc: httpx.Client) -> None:
    """Fifty of them."""
    words = [token_hex(8) for _ in range(3)]
    for word in words:
        marc.post("/api/notifications", json={"user_id": AWA, "title": word, "message": "In order"})
        notified(awa, word)
    listed = awa.get("/api/notifications").json()["notifications"]
    assert [note["title"] for note in listed[:3]] == words[::-1]
    assert len(listed) <= 50


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": "x" * 256},
        {"title": "a\0b"},
        {"user_id": "everybody"},
        {"user_id": 2**63},
        {"priorite": ""},
        {"colour": "red"},
        {"data": "text"},
    ],
)
def test_a_notification_that_makes_no_sense_is_refused(marc: httpx.Client, changes: dict[str, object]) -> None:
    """By the same rules as the job itself: what is accepted can be sent."""
    body = {"user_id": AWA, "title": "Hello", "message": "There", **changes}
    assert marc.post("/api/notifications", json=body).status_code == 422


def test_a_notification_for_nobody_is_refused(marc: httpx.Client) -> None:
    """The table itself would take it."""
    body = {"user_id": 424242, "title": "Hello", "message": "There"}
    assert marc.post("/api/notifications", json=body).status_code == 404
