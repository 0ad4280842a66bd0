"""Jobs that write down what happens to them."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from hard_jobs import *  # noqa: F403  # one module of jobs for the application, two for their readers
from ledger import write

from queuectl import Job


class Ledger(Job):
    """Starts, takes its time, is done, and takes some more to end."""

    key: str
    seconds: float = 0.0
    after: float = 0.0

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts, uuid=self.uuid)
        time.sleep(self.seconds)
        write("done", self.key, attempt=self.attempts)
        time.sleep(self.after)


class Gate(Job):
    """Starts and waits until the file `open` is there; the first attempt only."""

    key: str

    tries = 5

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        while self.attempts == 1 and not Path("open").exists():
            time.sleep(0.01)
        write("done", self.key, attempt=self.attempts)


class Lingering(Job):
    """Is done, and does not end before the file `open` is there; the first attempt only."""

    key: str

    tries = 5

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        write("done", self.key, attempt=self.attempts)
        while self.attempts == 1 and not Path("open").exists():
            time.sleep(0.01)


class Failing(Job):
    """Raises until the file `repaired` is there."""

    key: str

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        if not Path("repaired").exists():
            raise ValueError(f"{self.key} cannot work")
        write("done", self.key, attempt=self.attempts)

    def failed(self, error: BaseException) -> None:
        write("failed", self.key, error=f"{type(error).__name__}: {error}")


class Wishing(Job):
    """Asks to be released or failed."""

    key: str
    wish: str

    tries = 3

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        if self.wish == "fail":
            self.fail("no use")
        elif self.attempts == 1:
            self.release(0)
        else:
            write("done", self.key, attempt=self.attempts)


class Faithful(Job):
    """Fails twice, and writes down the digest of its arguments at each attempt."""

    key: str
    value: Any

    tries = 3

    def handle(self) -> None:
        digest = hashlib.sha256(json.dumps(self.value).encode()).hexdigest()
        write("start", self.key, attempt=self.attempts, digest=digest, value=repr(self.value))
        if self.attempts < 3:
            raise ValueError("again")
        write("done", self.key, attempt=self.attempts)
