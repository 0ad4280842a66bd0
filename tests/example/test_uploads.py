"""Photos as people send them, and as others do."""

from __future__ import annotations

import io
import re
import socket
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.acceptance.project import until
from tests.example.application import Application
from tests.unit.builtin.pictures import encoded, landscape, phone_photo

TOO_MUCH = 10 * 1024 * 1024
NAMES = re.compile(r"[0-9a-f]{32}\.(jpg|png|webp)")
JPEG = encoded(Image.new("RGB", (8, 8)), "JPEG")
TEXT_FIELD = b'--x\r\nContent-Disposition: form-data; name="photo"\r\n\r\ntext\r\n--x--\r\n'
HOSTILE_NAMES = [
    "../../../../etc/cron.d/job",
    "/etc/passwd",
    "..\\..\\windows.jpg",
    "C:\\photo.jpg",
    "photo.jpg\0.php",
    "photo.php",
    ".htaccess",
    "-rf.jpg",
    "x" * 5000 + ".jpg",
    "%2e%2e%2fphoto.jpg",
    "\u202egpj.exe",
    '"; rm -rf /; ".jpg',
    "",
]


def clock_in(client: httpx.Client, data: bytes, name: str = "photo.jpg", kind: str = "image/jpeg") -> httpx.Response:
    return client.post("/api/attendance", files={"photo": (name, data, kind)})


def when_ready(client: httpx.Client, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry once its thumbnail is there."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"/api/attendance/{entry['id']}").json()
        return found if found["ready"] else None

    shown: dict[str, Any] = until(look, "the thumbnail")
    return shown


def kept(hr: Application) -> set[str]:
    """The names of all files in the public folder, but for those that a job is writing or has added."""
    files = (hr.folder / "storage/app/public").rglob("[!.]*")
    return {file.name for file in files if file.is_file() and "_thumb" not in file.name}


def test_a_photo_is_answered_at_once_and_made_fit_afterwards(hr: Application, awa: httpx.Client) -> None:
    """202 before anybody looked into it; then it is upright, small, without metadata, with a thumbnail beside it."""
    answer = clock_in(awa, phone_photo(1600, 1200))
    assert answer.status_code == 202
    entry = when_ready(awa, answer.json())
    until(lambda: b"Example" not in awa.get(entry["photo_url"]).content, "the photo without its metadata")
    photo, thumbnail = (awa.get(entry[key]) for key in ("photo_url", "thumbnail_url"))
    assert photo.headers["content-type"] == thumbnail.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(photo.content)).size == (900, 1200)
    assert Image.open(io.BytesIO(thumbnail.content)).size == (225, 300)
    assert any("clocked in" in note["message"] for note in awa.get("/api/notifications").json()["notifications"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_content_says_what_it_is(awa: httpx.Client, kind: str) -> None:
    """Not its name, and not the type that the client claims."""
    answer = clock_in(awa, encoded(landscape(64, 48), kind), "photo.exe", "text/html")
    entry = when_ready(awa, answer.json())
    assert awa.get(entry["thumbnail_url"]).headers["content-type"] == f"image/{kind.lower()}"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_of_clients_mean_nothing(hr: Application, awa: httpx.Client, name: str) -> None:
    """Files have names of our own, in a folder of our own; what no client can mean is refused."""
    assert clock_in(awa, JPEG, name).status_code in (202, 400, 422)
    assert all(NAMES.fullmatch(file) for file in kept(hr))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"GIF89a" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"MZ" + b"\0" * 100,
        b"RIFF\0\0\0\0WAVEfmt ",
        b" " + JPEG,
    ],
)
def test_what_is_no_picture_is_refused(hr: Application, awa: httpx.Client, data: bytes) -> None:
    """By its first bytes, whatever the client says about it; nothing of it stays."""
    before = kept(hr)
    assert clock_in(awa, data).status_code == 415
    assert kept(hr) == before


@pytest.mark.parametrize(
    "data",
    [
        phone_photo(320, 240)[:2000],
        JPEG[:20],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 500,
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        b"\xff\xd8\xff" + b"<script>alert(1)</script>" * 10,
    ],
    ids=["truncated", "stump", "png", "webp", "script"],
)
def test_what_only_begins_like_a_picture_is_shown_to_nobody(hr: Application, awa: httpx.Client, data: bytes) -> None:
    """It is taken, because looking closer takes long; its job fails with the reason, and it is never served."""
    before = hr.cli("failed", "--json").count('"uuid"')
    entry = clock_in(awa, data).json()
    until(lambda: hr.cli("failed", "--json").count('"uuid"') > before, "the job to fail")
    assert awa.get(f"/api/attendance/{entry['id']}").json()["ready"] is False
    assert awa.get(entry["photo_url"]).status_code == awa.get(entry["thumbnail_url"]).status_code == 404


def test_a_picture_that_is_also_something_else_is_only_a_picture_afterwards(awa: httpx.Client) -> None:
    """What a browser might take for a page is gone, and it is told not to guess."""
    answer = clock_in(awa, phone_photo(320, 240) + b"<html><script>alert(1)</script>")
    entry = when_ready(awa, answer.json())
    until(lambda: b"<script>" not in awa.get(entry["photo_url"]).content, "the photo without what was hung on")
    assert awa.get(entry["photo_url"]).headers["x-content-type-options"] == "nosniff"


def test_the_photos_of_others_are_seen_by_managers_only(
    awa: httpx.Client, lea: httpx.Client, marc: httpx.Client
) -> None:
    """And by whoever is in them."""
    entry = when_ready(awa, clock_in(awa, JPEG).json())
    for url in (entry["photo_url"], entry["thumbnail_url"], f"/api/attendance/{entry['id']}"):
        assert [client.get(url).status_code for client in (awa, lea, marc)] == [200, 404, 200]


@pytest.mark.parametrize("name", ["..%2f..%2fapp.sqlite", "%2e%2e/secret", "a.jpg", "%00.jpg", "0" * 32 + ".php"])
def test_only_photos_are_served(awa: httpx.Client, name: str) -> None:
    """No path leads out of their folder."""
    assert awa.get(f"/photos/{name}").status_code in (404, 422)


# Size


def test_a_large_photo_is_refused(hr: Application, awa: httpx.Client) -> None:
    """By what it says, or, where it says nothing, by counting."""
    before = kept(hr)
    assert clock_in(awa, JPEG + b"\0" * TOO_MUCH).status_code == 413
    body, kind = multipart(JPEG + b"\0" * TOO_MUCH)
    pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
    assert awa.post("/api/attendance", content=pieces, headers={"content-type": kind}).status_code == 413
    assert kept(hr) == before


def test_a_content_length_that_lies_gets_nothing_more_in(hr: Application, awa: httpx.Client) -> None:
    """A short one ends the body early; the server does not wait for what a client only announced."""
    body, kind = multipart(JPEG)
    before = len(awa.get("/api/attendance").json())
    assert status(raw(hr, awa, body, kind, length=len(body) - 30)) == 422
    assert status(raw(hr, awa, body, kind, length=TOO_MUCH * 100)) == 413
    assert status(raw(hr, awa, body, kind, length=-1)) == 400
    assert raw(hr, awa, body, kind, length=len(body) + 1000, hang_up=True) == b""
    assert len(awa.get("/api/attendance").json()) == before


def test_only_who_is_signed_in_uploads_anything(hr: Application) -> None:
    """Others are refused before a byte of it is read."""
    answer = raw(hr, hr.client(), b"", "multipart/form-data; boundary=x", length=TOO_MUCH - 1)
    assert status(answer) == 401


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"", "multipart/form-data; boundary=x", (400, 422)),
        (b"--x\r\n", "multipart/form-data; boundary=x", (400, 422)),
        (b"hello", "multipart/form-data", (400,)),
        (b"photo=x", "application/x-www-form-urlencoded", (422,)),
        (JPEG, "image/jpeg", (422,)),
        (TEXT_FIELD, "multipart/form-data; boundary=x", (422,)),
    ],
)
def test_a_form_without_a_photo_is_refused(
    awa: httpx.Client, content: bytes, kind: str, expected: tuple[int, ...]
) -> None:
    """Malformed or merely incomplete."""
    answer = awa.post("/api/attendance", content=content, headers={"content-type": kind})
    assert answer.status_code in expected


def test_one_photo_is_enough(awa: httpx.Client) -> None:
    """A form with several is refused."""
    files = [("photo", ("a.jpg", JPEG, "image/jpeg")), ("photo", ("b.jpg", JPEG, "image/jpeg"))]
    assert awa.post("/api/attendance", files=files).status_code == 400


def multipart(data: bytes) -> tuple[bytes, str]:
    request = httpx.Request("POST", "http://x", files={"photo": ("p.jpg", data, "image/jpeg")})
    return request.read(), request.headers["content-type"]


def raw(hr: Application, client: httpx.Client, body: bytes, kind: str, *, length: int, hang_up: bool = False) -> bytes:
    """What the server says to a request with this Content-Length, whatever the body is."""
    session = client.cookies.get("session", "")
    head = [
        "POST /api/attendance HTTP/1.1",
        f"Host: 127.0.0.1:{hr.port}",
        f"Content-Type: {kind}",
        f"Content-Length: {length}",
        f"Cookie: session={session}",
        "Connection: close",
    ]
    with socket.create_connection(("127.0.0.1", hr.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body[: max(length, 0)])
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
