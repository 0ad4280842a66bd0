"""An application in a folder of its own, driven the way its operators drive it: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from queuectl.config.loading import load
from queuectl.migrations import migrate
from tests.acceptance.foreign import push_to_database, push_to_redis, read_database

if TYPE_CHECKING:
    from tests.acceptance.nursery import Nursery

PATIENCE = 30.0
"""Seconds within which a fact must come true on a busy machine."""

MODULES = [Path(__file__).with_name(name) for name in ("ledger.py", "hard_jobs.py", "ledger_jobs.py")]

CONFIGURATION = """\
default = "sync"
jobs = ["ledger_jobs"]

[connections.database]
driver = "database"
url = "{database_url}"
retry_after = {retry_after}
outbox = "{outbox}"

[connections.app]
driver = "database"
url = "sqlite:///storage/app.sqlite"
retry_after = {retry_after}

[disks.public]
root = "storage/app/public"

[notifications]
connection = "database"
"""


REDIS = """
[connections.redis]
driver = "redis"
url = "{redis_url}"
prefix = "{prefix}"
retry_after = {retry_after}
outbox = "{outbox}"
"""


def until(fact: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait for a fact, not for seconds; its first true value."""
    deadline = time.monotonic() + patience
    while not (found := fact()):
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain for {what}"
        time.sleep(0.02)
    return found


def lives(pid: int) -> bool:
    """Neither gone nor a zombie that nobody has buried yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Project:
    """A folder with `conf/queue.toml`, the ledger jobs, and a store."""

    concurrency: ClassVar[int] = 1
    """Of workers that are not told another one: `--concurrency` of the test run."""

    def __init__(
        self,
        folder: Path,
        connection: str,
        *,
        database_url: str = "sqlite:///storage/queue.sqlite",
        redis_url: str = "redis://127.0.0.1:1/0",
        prefix: str = "",
        retry_after: float = 30,
        outbox: str = "",
    ) -> None:
        self.folder = folder
        self.connection = connection
        self.database_url, self.redis_url, self.prefix = database_url, redis_url, prefix
        self.ledger = folder / "ledger"
        (folder / "conf").mkdir(parents=True)
        (folder / "storage/app/public").mkdir(parents=True)
        for module in MODULES:
            (folder / module.name).write_text(module.read_text())
        text = CONFIGURATION + (REDIS if connection == "redis" else "")
        values = {
            "database_url": database_url,
            "redis_url": redis_url,
            "prefix": prefix,
            "retry_after": retry_after,
            "outbox": outbox,
        }
        (folder / "conf/queue.toml").write_text(text.format(**values))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("QUEUE", "REDIS_URL"))},
            "QUEUE_CONNECTION": connection,
            "LEDGER": str(self.ledger),
            "PYTHONWARNINGS": "error",
        }
        self.nursery: Nursery | None = None
        """Where commands and programs that are run to their end come from; none: each is started."""
        self._workers: list[subprocess.Popen[str]] = []
        self._read: list[dict[str, Any]] = []
        self._read_up_to = 0

    def cli(
        self,
        *arguments: str,
        code: int | None = 0,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; *code* is the exit code it must have."""
        done = self._end_of("-m", "queuectl", *at_concurrency(arguments), stdin=stdin or "", more=environment or {})
        assert code is None or done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def migrate(self) -> None:
        """Make the tables of every database that the configuration speaks of."""
        config = load(self.folder / "conf/queue.toml", env=self.environment)
        for connection in config.connections.values():
            if connection.driver == "database":
                migrate(connection, notifications_table=config.notifications["table"])

    def python(self, source: str) -> str:
        """Run a program of the application's own, as a web process would."""
        done = self._end_of("-c", source)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def dispatch(self, expression: str, times: int = 1) -> None:
        """Dispatch an expression of the ledger's jobs, e.g. `Ledger.on_queue("a").dispatch(key=f"k{n}")`."""
        self.python(f"from ledger_jobs import *\nfor n in range({times}):\n    {expression}")

    def push_raw(self, junk: bytes) -> None:
        """What another program might write into the default queue."""
        if self.connection == "redis":
            push_to_redis(self.redis_url, self.prefix, junk)
        else:
            push_to_database(self._database, junk)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        return read_database(self._database, query)

    @property
    def _database(self) -> str:
        sqlite = f"sqlite://{self.folder}/storage/queue.sqlite"
        return sqlite if self.database_url.startswith("sqlite") else self.database_url

    def work(self, *arguments: str) -> Worker:
        """Start a worker in the background."""
        log = (self.folder / f"worker-{len(self._workers)}.log").open("w+")
        process = subprocess.Popen(
            [sys.executable, "-m", "queuectl", *at_concurrency(["work", *arguments])],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
        )
        self._workers.append(process)
        log.close()
        return Worker(process, Path(log.name))

    def drain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Work until nothing is ready."""
        return self.cli("work", "--stop-when-empty", *arguments)

    def events(self) -> list[dict[str, Any]]:
        """What the jobs wrote down, in order. Whoever waits asks all the time: only what is new is read."""
        with suppress(FileNotFoundError), self.ledger.open("rb") as ledger:
            ledger.seek(self._read_up_to)
            whole, end, _ = ledger.read().rpartition(b"\n")
            self._read += map(json.loads, whole.splitlines())
            self._read_up_to += len(whole + end)
        return list(self._read)

    def done(self) -> Counter[str]:
        return Counter(event["key"] for event in self.events() if event["ev"] == "done")

    def starts(self, key: str) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["ev"] == "start" and event["key"] == key]

    def monitor(self, *queues: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.cli("monitor", *queues, "--json").stdout)
        return found

    def failed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.cli("failed", "--json").stdout)
        return found

    def _end_of(
        self, *words: str, stdin: str = "", more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What came of `python WORDS`. It comes from the nursery, unless Python itself is to start in another way."""
        environment = {**self.environment, **(more or {})}
        if self.nursery and environment.get("PYTHONPATH") == os.environ.get("PYTHONPATH"):
            return self.nursery.end_of(self.folder, environment, words, stdin)
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def close(self) -> None:
        for process in self._workers:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


def at_concurrency(words: Sequence[str]) -> list[str]:
    """The same command; a worker with the concurrency of this test run."""
    several = Project.concurrency > 1 and words[0] == "work" and not any("--concurrency" in word for word in words)
    return [*words, f"--concurrency={Project.concurrency}"] if several else list(words)


class Worker:
    """A `queuectl work` in the background."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        return self.log.read_text()

    def children(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self, patience: float = PATIENCE) -> int:
        """Wait for its end: the exit code."""
        return self.process.wait(patience)


def missing(found: Iterable[str], prefix: str, count: int) -> set[str]:
    """Which of `prefix0 … prefixN` are not there."""
    return {f"{prefix}{n}" for n in range(count)} - set(found)
