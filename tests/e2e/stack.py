"""The example as it runs: a copy of its folder, its API under uvicorn, and two workers."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.acceptance.project import PATIENCE, until

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTO = EXAMPLES / "quickstart" / "photo.jpg"
QUEUES = "notifications-high,notifications,default"


class Stack:
    """Begun by `start`, ended by `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(EXAMPLES / "hr_api", folder, ignore=shutil.ignore_patterns("storage", "__pycache__"))
        settings = ("QUEUE", "REDIS_URL", "DATABASE_URL", "HR_", "PYTHONWARNINGS")
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._apis: list[subprocess.Popen[bytes]] = []
        self._workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Tables, two people, the API, two workers: in the order of the example's own `run`."""
        self._run("queuectl", "migrate", "--quiet")
        self._run("hr.seed")
        api = ("uvicorn", "hr.main:create_app", "--factory", f"--port={self._port}", "--timeout-graceful-shutdown=1")
        self._apis.append(self._begin(*api, "--log-level=warning"))
        self._begin_workers()
        until(self._answers, "the API")

    @contextmanager
    def idle(self) -> Iterator[None]:
        """No worker runs for a while."""
        self._end(self._workers)
        yield
        self._begin_workers()

    def hire(self, username: str, name: str) -> None:
        """Another employee of marc's, with awa's password."""
        with closing(sqlite3.connect(self.folder / "storage/app.sqlite")) as database, database:
            database.execute(
                "INSERT INTO users (username, name, role, manager_id, password)"
                " SELECT ?, ?, role, manager_id, password FROM users WHERE username = 'awa'",
                (username, name),
            )

    def close(self) -> None:
        self._end(self._apis)
        self._end(self._workers)

    def _begin_workers(self) -> None:
        for number in (1, 2):
            self._workers.append(self._begin("queuectl", "work", f"--queue={QUEUES}", f"--name=hr-{number}"))

    def _begin(self, *module: str) -> subprocess.Popen[bytes]:
        with (self.folder / "output.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *module],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _run(self, *module: str) -> None:
        assert self._begin(*module).wait(PATIENCE) == 0, (self.folder / "output.log").read_text()

    def _end(self, processes: list[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.terminate()
        while processes:
            processes.pop().wait(PATIENCE)

    def _answers(self) -> bool:
        assert self._apis[0].poll() is None, (self.folder / "output.log").read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2):  # noqa: S310  # our own http:// address
                return True
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
