"""Who may come in, and what every answer and every state change has to show."""

from __future__ import annotations

import httpx
import pytest

from tests.example.application import Application

ALL = ("awa", "lea", "marc")
ROUTES = [
    ("GET", "/api/evaluations", None, ALL),
    ("POST", "/api/evaluations", {"employee_id": 2, "score": 4, "comment": "Good."}, ("marc",)),
    ("GET", "/api/conges", None, ALL),
    ("POST", "/api/conges", {"start": "2026-12-01", "end": "2026-12-02", "reason": "Rest"}, ALL),
    ("POST", "/api/conges/999999/decision", {"approved": True}, ("marc",)),
    ("GET", "/api/attendance", None, ALL),
    ("GET", "/api/attendance/999999", None, ALL),
    ("POST", "/api/attendance", None, ALL),
    ("GET", f"/photos/{'0' * 32}.jpg", None, ALL),
    ("GET", "/api/notifications", None, ALL),
    ("POST", "/api/notifications", {"user_id": 2, "title": "Hello", "message": "There"}, ("marc",)),
    ("POST", "/api/notifications/999999/read", None, ALL),
]


@pytest.mark.parametrize(("method", "path", "body", "who"), ROUTES)
def test_routes_are_for_whom_they_are(
    people: dict[str, httpx.Client], method: str, path: str, body: object, who: tuple[str, ...]
) -> None:
    """Nobody without a session, employees not where managers decide; what exists or not is said to nobody else."""
    assert people[""].request(method, path, json=body).status_code == 401
    for username in ALL:
        status = people[username].request(method, path, json=body).status_code
        assert (status == 403) == (username not in who), (username, status)
        assert status < 500


def test_signing_in_answers_who_one_is_and_never_the_password(hr: Application) -> None:
    """By JSON; the cookie is out of reach of scripts and of other sites."""
    answer = hr.client().post("/login", json={"username": "awa", "password": "demo"})
    assert answer.json()["name"] == "Awa Diop"
    assert "password" not in answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_signing_in_by_a_form_leads_to_the_page(hr: Application) -> None:
    """A browser without scripts gets in, and hears when the password is wrong."""
    client = hr.client()
    wrong = client.post("/login", data={"username": "awa", "password": "nonsense"})
    assert (wrong.status_code, wrong.headers["location"]) == (303, "/?refused=1")
    right = client.post("/login", data={"username": "awa", "password": "demo"})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert client.get("/api/conges").status_code == 200


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ({"username": "awa", "password": "Demo"}, 401),
        ({"username": "nobody", "password": "demo"}, 401),
        ({"username": "awa' OR '1'='1", "password": "demo"}, 401),
        ({"username": "", "password": ""}, 401),
        ({"username": "awa\0", "password": "demo"}, 422),
        ({"username": "a" * 51, "password": "demo"}, 422),
        ({"username": "awa", "password": "p" * 10_000}, 422),
        ({"username": "awa"}, 422),
        ({"username": ["awa"], "password": {"$ne": ""}}, 422),
        ([], 422),
    ],
)
def test_wrong_credentials_open_nothing(hr: Application, credentials: object, status: int) -> None:
    """Whether the name or the password was wrong is not said."""
    client = hr.client()
    answer = client.post("/login", json=credentials)
    assert (answer.status_code, client.get("/api/conges").status_code) == (status, 401)
    if status == 401:
        assert answer.json() == {"detail": "Wrong user name or password."}


def test_signing_in_with_what_is_no_json_is_refused(hr: Application) -> None:
    """Not a server's error."""
    answer = hr.client().post("/login", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_a_wrong_password_ends_the_session_that_was(hr: Application) -> None:
    """Who cannot sign in as somebody else does not stay who they were."""
    client = hr.client("awa")
    client.post("/login", json={"username": "marc", "password": "guess"})
    assert client.get("/api/conges").status_code == 401


def test_signing_out_ends_the_session(hr: Application) -> None:
    """And leads to the page."""
    client = hr.client("awa")
    assert client.post("/logout").status_code == 303
    assert client.get("/api/conges").status_code == 401


def test_a_cookie_that_was_tampered_with_is_nobody_s(hr: Application) -> None:
    """The user's id in it is signed."""
    client = hr.client("awa")
    payload, signature = client.cookies["session"].split(".", 1)
    client.cookies.clear()
    client.cookies.set("session", f"{payload[:-4]}MX0=.{signature}")
    assert client.get("/api/conges").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1"},
        {"origin": ""},
    ],
)
def test_another_site_changes_nothing(awa: httpx.Client, headers: dict[str, str]) -> None:
    """Whatever a browser is made to send, it says that a page of ours did not."""
    before = len(awa.get("/api/conges").json())
    body = {"start": "2026-12-01", "end": "2026-12-02", "reason": "Forged"}
    assert awa.post("/api/conges", json=body, headers=headers).status_code == 403
    assert awa.post("/login", data={"username": "marc", "password": "demo"}, headers=headers).status_code == 403
    assert len(awa.get("/api/conges").json()) == before


def test_our_own_page_and_programs_may_change_things(hr: Application) -> None:
    """A browser on our page says so; a program says nothing and has no cookie that others could use."""
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": hr.url}, {}):
        body = {"username": "awa", "password": "demo"}
        assert hr.client().post("/login", json=body, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/health", "/api/conges", "/nothing-here"])
def test_every_answer_carries_the_security_headers(hr: Application, path: str) -> None:
    """Found or not, allowed or not."""
    headers = hr.client().get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_a_large_body_is_refused_where_none_is_expected(hr: Application) -> None:
    """Also by whoever is not signed in, also without a Content-Length."""
    assert hr.client().post("/login", content=b"x" * 100_000).status_code == 413
    json = {"content-type": "application/json"}
    assert hr.client().post("/login", content=(b"x" * 1000 for _ in range(100)), headers=json).status_code == 413
