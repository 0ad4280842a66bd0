"""Jobs that are hard on their worker, and write down what happens to them."""

from __future__ import annotations

import asyncio
import builtins
import ctypes
import hashlib
import mmap
import os
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ledger import write

from queuectl import Job


class Deaf(Job):
    """Spends its first attempt in C code with the interpreter's lock: neither threads nor exceptions get a turn."""

    key: str
    seconds: float = 3600.0

    tries = 3

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        if self.attempts == 1:
            ctypes.PyDLL(None).usleep(int(self.seconds * 1_000_000))
        write("done", self.key, attempt=self.attempts)


class Raising(Job):
    """Raises what is no `Exception`."""

    key: str
    what: str

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        raise getattr(builtins, self.what)


def _touch_what_is_gone() -> None:
    with tempfile.TemporaryFile() as file:
        file.truncate(1)
        window = mmap.mmap(file.fileno(), 1)
        file.truncate(0)
        window[0]


DEATHS: dict[str, Callable[[], object]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(0),
    "exit 3": lambda: os._exit(3),
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "bus": _touch_what_is_gone,
}


class Poison(Job):
    """Ends its own process."""

    key: str
    how: str = "kill"

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        DEATHS[self.how]()

    def failed(self, error: BaseException) -> None:
        write("failed", self.key, error=f"{type(error).__name__}: {error}")


class Endless(Poison):
    """May be tried for ever."""

    tries = 0


def _swallow() -> None:
    while True:
        with suppress(BaseException):
            time.sleep(60)


def _lock() -> None:
    """In C, with the interpreter's lock, where no signal gets through, and without using the processor."""
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):
        ctypes.PyDLL(None).pthread_mutex_lock(mutex)


HANGS: dict[str, Callable[[], object]] = {
    "sleep": lambda: time.sleep(60),
    "swallow": _swallow,
    "lock": _lock,
    "sum": lambda: sum(range(10**11)),
    "hash": lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9),
    "match": lambda: re.match("(a*)*b", "a" * 40),
}


class Stubborn(Job):
    """Runs into its timeout; hears of it in `sleep` and `match` only."""

    key: str
    how: str = "sleep"

    timeout = 1

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        HANGS[self.how]()
        write("done", self.key, attempt=self.attempts)

    def failed(self, error: BaseException) -> None:
        write("failed", self.key, error=f"{type(error).__name__}: {error}")


class Strict(Stubborn):
    """Has one chance."""

    tries = 3
    fail_on_timeout = True


class Punctual(Job):
    """Is done as its alarm rings, give or take *offset* seconds."""

    key: str
    offset: float

    timeout = 1

    def handle(self) -> None:
        end = time.monotonic() + signal.getitimer(signal.ITIMER_REAL)[0] + self.offset
        write("start", self.key, attempt=self.attempts)
        time.sleep(max(end - time.monotonic() - 0.005, 0))
        while time.monotonic() < end:
            pass
        write("done", self.key, attempt=self.attempts)


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


class Late(Job):
    """Waits for the file `open`, and then is done, released or failed, as it wishes; its second attempt waits for
    `finish` and is done."""

    key: str
    wish: str

    tries = 5

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        while not Path("open" if self.attempts == 1 else "finish").exists():
            time.sleep(0.01)
        if self.attempts == 1 and self.wish == "fail":
            self.fail("no use")
        elif self.attempts == 1 and self.wish == "release":
            self.release(10)
        else:
            write("done", self.key, attempt=self.attempts)


class Greedy(Job):
    """Keeps memory for ever."""

    key: str
    megabytes: int
    seconds: float = 0.0

    def handle(self) -> None:
        time.sleep(self.seconds)
        _KEPT.append(bytearray(os.urandom(1024) * 1024 * self.megabytes))
        write("done", self.key, attempt=self.attempts)


_KEPT: list[bytearray] = []


class Together(Job):
    """Ends once so many others like it have started: only beside them."""

    key: str
    many: int

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts, thread=threading.current_thread().name)
        while self.attempts == 1 and _started() < self.many:
            time.sleep(0.01)
        write("done", self.key, attempt=self.attempts)


class TogetherAsync(Together):
    """The same as a coroutine."""

    async def handle(self) -> None:  # type: ignore[override]  # both kinds are jobs
        write("start", self.key, attempt=self.attempts, thread=threading.current_thread().name)
        while self.attempts == 1 and _started() < self.many:
            await asyncio.sleep(0.01)
        write("done", self.key, attempt=self.attempts)


class Napping(Job):
    """A coroutine that sleeps, longer than its timeout if it is told to."""

    key: str
    seconds: float = 0.0

    timeout = 1

    async def handle(self) -> None:
        write("start", self.key, attempt=self.attempts, child=os.getpid())
        await asyncio.sleep(self.seconds)
        write("done", self.key, attempt=self.attempts)


class Unmakeable(Job):
    """Raises what is no `Exception` before there is a job that could fail."""

    key: str

    def __post_init__(self) -> None:
        write("start", self.key)
        raise SystemExit

    def handle(self) -> None:
        """Never called."""


class UnmakeableAsync(Unmakeable):
    """The same as a coroutine."""

    async def handle(self) -> None:  # type: ignore[override]  # both kinds are jobs
        """Never called."""


def _started() -> int:
    return Path(os.environ["LEDGER"]).read_text().count('"start"')
