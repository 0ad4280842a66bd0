"""Jobs that write down what happens to them, one line an event, in a file that survives every kill."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from queuectl import Job


def write(ev: str, key: str, **more: object) -> None:
    line = json.dumps({"ev": ev, "key": key, "pid": os.getpid(), "t": time.monotonic(), **more}) + "\n"
    descriptor = os.open(os.environ["LEDGER"], os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)


class Ledger(Job):
    """Starts, takes its time, is done."""

    key: str
    seconds: float = 0.0

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        time.sleep(self.seconds)
        write("done", self.key, attempt=self.attempts)


class Gate(Job):
    """Starts and waits until the file `open` is there; the first attempt only."""

    key: str

    tries = 5

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        while self.attempts == 1 and not Path("open").exists():
            time.sleep(0.01)
        write("done", self.key, attempt=self.attempts)


class Hog(Job):
    """Holds the interpreter's lock in C, so that no thread of its process can do anything."""

    key: str
    seconds: float

    tries = 3

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            sum(range(30_000_000))
        write("done", self.key, attempt=self.attempts)


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


class Poison(Job):
    """Kills its own process."""

    key: str
    how: str = "kill"

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        if self.how == "exit":
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)

    def failed(self, error: BaseException) -> None:
        write("failed", self.key, error=f"{type(error).__name__}: {error}")


class Stubborn(Job):
    """Runs into its timeout, in Python or in C where no signal handler is heard."""

    key: str
    in_c: bool = False

    timeout = 1

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        if self.in_c:
            hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000_000)
        time.sleep(60)
        write("done", self.key, attempt=self.attempts)

    def failed(self, error: BaseException) -> None:
        write("failed", self.key, error=f"{type(error).__name__}: {error}")


class Forking(Job):
    """Forks a process that comes back from `handle` as if it were the job."""

    key: str
    how: str

    tries = 3

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        if (forked := os.fork()) == 0:
            self.come_back()
            return
        os.waitpid(forked, 0)
        write("done", self.key, attempt=self.attempts)

    def come_back(self) -> None:
        if self.how == "exit":
            raise SystemExit
        if self.how == "raise":
            raise ValueError("in the forked process")


class Orphaning(Job):
    """Leaves a process behind that outlives its own parent, and ends."""

    key: str

    def handle(self) -> None:
        subprocess.run(["sh", "-c", "sleep 0.05 &"], check=True)
        write("done", self.key, attempt=self.attempts)


class Deserter(Job):
    """Leaves its process group, in which something stays behind, and cannot be stopped by an exception."""

    key: str

    timeout = 1

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        if os.fork() == 0:
            signal.pause()
        os.setpgid(0, os.getpgid(os.getppid()))
        while True:
            with suppress(BaseException):
                signal.pause()


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


class Greedy(Job):
    """Keeps memory for ever."""

    key: str
    megabytes: int

    def handle(self) -> None:
        _KEPT.append(bytearray(os.urandom(1024) * 1024 * self.megabytes))
        write("done", self.key, attempt=self.attempts)


_KEPT: list[bytearray] = []
