"""A small shop on a bad day, at a moment that never passes: what the screens of docs/screens.md show."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Reserved, Settlement
from queuectl.drivers.control import Beat, LastSeen, Pause
from queuectl.jobs.outcome import Entry, FailedRecord, Parked, Problem
from queuectl.jobs.payload import encode, identity

CONFIGURATION = 'default = "database"\n\n[connections.database]\nurl = "sqlite:///storage/queue.sqlite"\n'
SMTP = Problem(
    "smtplib.SMTPConnectError",
    "(421, b'mail.example.com: too many connections')",
    "Traceback (most recent call last):\n  …",
    "post.py:send",
)
HEIC = Problem(
    "builtins.ValueError",
    "cannot identify image file 'inbox/4711.heic'",
    "Traceback (most recent call last):\n  …",
    "images.py:shrink",
)
HOSTS = ("web-1", "web-1", "web-2")


def uuid(number: int) -> str:
    return str(UUID(int=0x5EED0000_0000_4000_8000_000000000000 + number))


class Shop:
    """Mail fails since a deployment, images wait for a worker that is gone, a report for code that is not there."""

    def __init__(self, driver: Driver, clock: FakeClock) -> None:
        self._driver, self._clock = driver, clock
        self._jobs = 0

    def open(self) -> None:
        self._reserve(1, "MonthlyReport", "reports")
        self._push(12, "ProcessImage", "image")
        self._clock.sleep(260)
        self._push(3, "SendInvoice", "mail")
        running = self._driver.exchange([], ["mail"], 3)[1]
        self._push(140, "SendInvoice", "mail")
        self._push(9, "SendInvoice", "mail", delay=240)
        self._push(1, "SendReceipt", "mail-high")
        self._clock.sleep(12)
        self._fail(42, "SendInvoice", "mail", SMTP)
        self._fail(7, "ProcessImage", "image", HEIC)
        self._staff(running)

    def serve(self, count: int, *, seconds: float) -> None:
        """Time passes, so many invoices are sent, and others come in."""
        self._clock.sleep(seconds)
        self._driver.control.count({"done:mail": count})
        self._push(max(0, 40 - count), "SendInvoice", "mail")
        for beat in self._driver.control.beats():
            self._driver.control.beat(replace(beat, at=self._clock.now(), processed=beat.processed + count // 3))

    def _reserve(self, count: int, job: str, queue: str) -> None:
        """Parked at once: nobody knows a job of this name."""
        self._push(count, job, queue)
        for reserved in self._driver.exchange([], [queue], count)[1]:
            self._driver.exchange([Settlement(reserved, Parked(f"unknown job {job}", 290))], [], 0)

    def _push(self, count: int, job: str, queue: str, *, delay: float = 0.0) -> None:
        for _ in range(count):
            self._jobs += 1
            name = uuid(self._jobs)
            payload = encode(job=job, arguments='{"order": 7}', uuid=name, created_at=self._clock.now())
            self._driver.push([Entry(queue, payload, name, delay=delay)])

    def _fail(self, count: int, job: str, queue: str, problem: Problem) -> None:
        """The oldest half an hour ago, the last one just now."""
        for number in range(count):
            self._jobs += 1
            name, at = uuid(self._jobs), self._clock.now() - 40 * (count - number) + 31
            payload = encode(job=job, arguments='{"order": 7}', uuid=name, created_at=at)
            self._driver.failed.add([FailedRecord(name, "database", queue, payload, job, 3, problem, at)])

    def _staff(self, running: list[Reserved]) -> None:
        """Three workers with a job each; the painter is gone, and the urgent queue is paused."""
        control, now = self._driver.control, self._clock.now()
        for number, (host, reserved) in enumerate(zip(HOSTS, running, strict=True)):
            job = {
                "job": "SendInvoice",
                "uuid": identity(reserved.payload)[0],
                "queue": "mail",
                "since": now - 12 + 4 * number,
            }
            pid, queues = 811 + number, ("mail-high", "mail")
            control.beat(
                Beat(f"{host}:{pid}", "mailer", host, pid, queues, now - 5400, now, 1, 2210 - 70 * number, (job,))
            )
        control.serve(["image"], LastSeen("painter", "web-2", now - 251))
        control.pause("mail-high", Pause("the post office moves", now - 95, now + 505, "awa@web-1"))
        control.count({"done:mail": 6190, "failed:mail": 42, "failed:image": 7})
