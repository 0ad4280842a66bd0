"""How long notifications wait under load, normal and urgent ones: `python -m hr.load` against a running application."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

URL = os.environ.get("HR_URL", "http://127.0.0.1:8000")
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 200
PRIORITIES = ["haute" if n > COUNT / 2 and n % 20 == 0 else "normale" for n in range(1, COUNT + 1)]
"""A flood, and from its middle on every twentieth is urgent."""


@dataclass(frozen=True, slots=True)
class Delivery:
    priorite: str
    accepted: float
    arrived: float

    @property
    def wait(self) -> float:
        return self.arrived - self.accepted

    def overtook(self, others: Sequence[Delivery]) -> int:
        return sum(other.accepted < self.accepted and other.arrived > self.arrived for other in others)


def sign_in(client: httpx.Client, username: str) -> int:
    """The id of the user that this client now is."""
    answer = client.post("/login", json={"username": username, "password": "demo"})
    return int(answer.raise_for_status().json()["id"])


def send(manager: httpx.Client, user_id: int, priorite: str) -> tuple[str, float]:
    """The job's id and the moment of the answer."""
    about = {"user_id": user_id, "title": "Load", "message": "One of many.", "priorite": priorite}
    answer = manager.post("/api/notifications", json=about).raise_for_status()
    return answer.json()["job_uuid"], time.monotonic()


def arrivals(employee: httpx.Client, after: int, count: int) -> dict[str, float]:
    """When each of so many notifications came over the live stream, by its job's id."""
    came: dict[str, float] = {}
    with employee.stream("GET", f"/api/notifications/stream?after={after}") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                came[json.loads(line.removeprefix("data: "))["job_uuid"]] = time.monotonic()
            if len(came) == count:
                break
    return came


def flood(manager: httpx.Client, employee: httpx.Client) -> list[Delivery]:
    """Send everything, eight requests at a time, while listening; what became of each."""
    sign_in(manager, "marc")
    user_id = sign_in(employee, "awa")
    known = employee.get("/api/notifications").json()["notifications"]
    with ThreadPoolExecutor(9) as threads:
        listening = threads.submit(arrivals, employee, known[0]["id"] if known else 0, COUNT)
        accepted = list(threads.map(lambda priorite: send(manager, user_id, priorite), PRIORITIES))
        arrived = listening.result()
    return [Delivery(priorite, at, arrived[uuid]) for priorite, (uuid, at) in zip(PRIORITIES, accepted, strict=True)]


def report(deliveries: Sequence[Delivery]) -> None:
    print(f"{'priority':10}{'count':>7}{'median wait':>14}{'longest wait':>15}{'overtook':>11}")
    for priorite in sorted(set(PRIORITIES)):
        chosen = [one for one in deliveries if one.priorite == priorite]
        waits = [one.wait for one in chosen]
        ahead = statistics.mean(one.overtook(deliveries) for one in chosen)
        print(f"{priorite:10}{len(chosen):7}{statistics.median(waits):12.2f} s{max(waits):13.2f} s{ahead:11.0f}")


if __name__ == "__main__":
    with httpx.Client(base_url=URL, timeout=60) as marc, httpx.Client(base_url=URL, timeout=60) as awa:
        report(flood(marc, awa))
