"""A folder with a configuration, in which commands are run as from a shell, but in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from queuectl.app import App
from queuectl.cli import main
from queuectl.commands.output import Output
from queuectl.drivers.contract import Driver
from queuectl.jobs.outcome import Entry, FailedRecord, Problem
from queuectl.jobs.payload import encode, new_uuid

CONFIG = """\
default = "database"
jobs = ["shop"]

[connections.database]
"""
SHOP = '''\
"""The jobs of an application."""

from queuectl import Job


class Mail(Job):
    """Send a letter."""

    to: str
    copies: int = 1

    queue = "mail"
    tries = 3
    backoff = (10, 30)

    def handle(self) -> None: ...
'''


class Terminal(StringIO):
    """A stream that people sit at."""

    def isatty(self) -> bool:
        return True


class Interrupted(StringIO):
    """Somebody presses Ctrl-C while the second batch is being printed."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        if self.writes == 2:
            raise KeyboardInterrupt
        return super().write(text)


@dataclass(frozen=True)
class Run:
    """What came of one command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out, self.err
        return json.loads(self.out)


class Site:
    """A project that uses queuectl."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, config: str = CONFIG) -> None:
        file = self.root / "conf" / "queue.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(config)

    def run(self, *words: str, stdin: str | StringIO = "", terminal: bool = False) -> Run:
        """Run `queuectl WORDS`. *terminal*: all three streams are one."""
        stream = Terminal if terminal else StringIO
        out, err = stream(), stream()
        environment = {"TERM": "xterm"}
        with redirect_stdout(out):  # the parser prints its help by itself
            code = main(words, Output(out, err, stream(stdin) if isinstance(stdin, str) else stdin, environment))
        return Run(code, out.getvalue(), err.getvalue())

    # What lies in its stores

    @contextmanager
    def driver(self, name: str = "database") -> Iterator[Driver]:
        app = App.load()
        yield app.driver(name)
        app.close()

    def push(self, queue: str, count: int = 1, *, delay: float = 0, connection: str = "database") -> list[str]:
        with self.driver(connection) as driver:
            return driver.push([_entry(queue, delay) for _ in range(count)])

    def fail(self, *uuids: str, connection: str = "database", **facts: Any) -> None:
        """Failed jobs of these uuids, the later ones the newer."""
        with self.driver(connection) as driver:
            for number, uuid in enumerate(uuids):
                driver.failed.add([failed_record(uuid, connection=connection, number=number, **facts)])

    def failed_uuids(self, connection: str = "database") -> list[str]:
        with self.driver(connection) as driver:
            return [job.uuid for job in driver.failed.page(limit=1000).items]

    def size(self, queue: str, connection: str = "database") -> int:
        with self.driver(connection) as driver:
            return driver.counts([queue])[queue].size


def _entry(queue: str, delay: float) -> Entry:
    uuid = new_uuid()
    return Entry(queue, encode(job="Mail", arguments='{"to": "ann"}', uuid=uuid), uuid, delay)


def failed_record(
    uuid: str,
    *,
    connection: str = "database",
    queue: str = "mail",
    job: str = "Mail",
    arguments: str = '{"to": "ann", "password": "s3cr3t-canary"}',
    message: str = "the server is away",
    ago: float = 60.0,
    number: int = 0,
) -> FailedRecord:
    return FailedRecord(
        uuid=uuid,
        connection=connection,
        queue=queue,
        payload=encode(job=job, arguments=arguments, uuid=uuid),
        job=job,
        attempts=3,
        problem=Problem("builtins.OSError", message, f"OSError: {message}\n  File shop.py, line 9\n"),
        failed_at=time.time() - ago + number,
    )


@pytest.fixture
def ready(site: Site) -> Site:
    """A project on SQLite, with its tables."""
    assert site.run("migrate").code == 0
    return site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project on SQLite, without tables yet."""
    for name in ("QUEUE_CONNECTION", "QUEUE_DATABASE_URL", "REDIS_URL", "QUEUECTL_CONFIG"):
        monkeypatch.setenv(name, "")  # so that it is taken away afterwards as well: `work` sets one for its children
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    found = Site(tmp_path)
    found.write()
    (tmp_path / "shop.py").write_text(SHOP)
    return found
