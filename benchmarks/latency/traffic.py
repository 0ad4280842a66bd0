"""Requests, as signed-in people make them."""

from __future__ import annotations

import datetime
import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
from PIL import Image

PHOTO = Path(__file__).parents[2] / "examples/quickstart/photo.jpg"
TWELVE_MEGAPIXELS = (4000, 3000)
PASSWORD = "demo"  # noqa: S105  # of the example's people
SOME_DAY = datetime.date(2030, 1, 1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took from the first byte sent to the last one read."""

    endpoint: str
    mark: str
    """Tells this request from all others."""
    status: int
    seconds: float


class Visitor:
    """A manager and an employee, each with a connection and a cookie of their own."""

    def __init__(self, url: str, photo: bytes) -> None:
        self._photo = photo
        self._manager, self._employee = (httpx.Client(base_url=url, timeout=60) for _ in range(2))
        _sign_in(self._manager, "marc")
        self._employee_id = _sign_in(self._employee, "awa")

    def close(self) -> None:
        self._manager.close()
        self._employee.close()

    def send(self, endpoint: str, number: int) -> Answer:
        started = time.perf_counter()
        answer = ENDPOINTS[endpoint](self, number)
        return Answer(endpoint, mark(number), answer.status_code, time.perf_counter() - started)

    def evaluate(self, number: int) -> httpx.Response:
        about = {"employee_id": self._employee_id, "score": 1 + number % 5, "comment": mark(number)}
        return self._manager.post("/api/evaluations", json=about)

    def ask_for_leave(self, number: int) -> httpx.Response:
        day = str(SOME_DAY + datetime.timedelta(number))
        return self._employee.post("/api/conges", json={"start": day, "end": day, "reason": mark(number)})

    def clock_in(self, number: int) -> httpx.Response:
        return self._employee.post("/api/attendance", files={"photo": ("me.jpg", self._photo, "image/jpeg")})

    def notify(self, number: int) -> httpx.Response:
        about = {"user_id": self._employee_id, "title": mark(number), "message": "Measured.", "type": "benchmark"}
        return self._manager.post("/api/notifications", json=about)


ENDPOINTS: dict[str, Callable[[Visitor, int], httpx.Response]] = {
    "/api/evaluations": Visitor.evaluate,
    "/api/conges": Visitor.ask_for_leave,
    "/api/attendance": Visitor.clock_in,
    "/api/notifications": Visitor.notify,
}


def mark(number: int) -> str:
    return f"request {number}"


def drive(visitors: Sequence[Visitor], numbers: range) -> list[Answer]:
    """Each visitor makes the next request when the one before is answered; all endpoints take turns."""
    places = range(len(visitors))
    shares = [numbers[place :: len(visitors)] for place in places]
    with ThreadPoolExecutor(len(visitors)) as threads:
        return [answer for made in threads.map(_take_turns, visitors, shares, places) for answer in made]


def _take_turns(visitor: Visitor, numbers: range, first: int) -> list[Answer]:
    endpoints = list(ENDPOINTS)
    return [visitor.send(endpoints[turn % len(endpoints)], number) for turn, number in enumerate(numbers, start=first)]


def camera_photo() -> bytes:
    """The example's photo as a telephone would send it: twelve megapixels, with a sensor's noise, some 3 MB."""
    with Image.open(PHOTO) as photo:
        large = photo.convert("RGB").resize(TWELVE_MEGAPIXELS)
    grain = Image.effect_noise(TWELVE_MEGAPIXELS, 32).convert("RGB")
    file = io.BytesIO()
    Image.blend(large, grain, 0.18).save(file, "JPEG", quality=90)
    return file.getvalue()


def _sign_in(client: httpx.Client, username: str) -> int:
    """The id of this user, who has a cookie now."""
    answer = client.post("/login", json={"username": username, "password": PASSWORD})
    answer.raise_for_status()
    return int(answer.json()["id"])
