"""The example application in a folder of its own: its configuration, its API, its workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from queuectl.testing.server import Server, free_port

BENCHMARKS = Path(__file__).parents[1]
EXAMPLE = BENCHMARKS.parent / "examples/hr_api"
QUEUES = "notifications-high,notifications,default"
PATIENCE = 60.0
"""Seconds within which a fact must come true on a busy machine."""


class StageFailed(Exception):
    """The application did not do what it was told."""


class Stage:
    """One application. Its code is the example's; its files, its port and its queue are nobody else's."""

    def __init__(self, connection: str, *, broadcast_ms: float, server: Server | None = None) -> None:
        """*server* is the one that a `redis` connection needs."""
        self.connection, self.server = connection, server
        self.folder = Path(tempfile.mkdtemp(prefix="hr-latency-"))
        self.url = f"http://127.0.0.1:{free_port()}"
        self._processes: list[subprocess.Popen[bytes]] = []
        (self.folder / "conf").mkdir()
        configuration = EXAMPLE / "conf" / ("redis.toml" if connection == "redis" else "queue.toml")
        shutil.copy(configuration, self.folder / "conf/queue.toml")
        self._environment = self._surroundings(broadcast_ms)

    def _surroundings(self, broadcast_ms: float) -> Mapping[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("QUEUE", "REDIS", "HR_"))}
        return {
            **ours,
            "PYTHONPATH": f"{EXAMPLE}:{BENCHMARKS}",
            "QUEUE_CONNECTION": self.connection,
            "REDIS_URL": self.server.url if self.server else "",
            "QUEUE_NOTIFICATION_SERVICE": "latency.counted:CountedBroadcast",
            "HR_BROADCAST_MS": str(broadcast_ms),
            "HR_LEDGER": str(self.ledger),
        }

    @property
    def ledger(self) -> Path:
        """Where the broadcast service writes what it sent."""
        return self.folder / "ledger"

    @property
    def queue_file(self) -> Path:
        return self.folder / "storage/queue.sqlite"

    @property
    def database_file(self) -> Path:
        return self.folder / "storage/app.sqlite"

    @property
    def photos(self) -> Path:
        return self.folder / "storage/app/public/attendance"

    def start(self, *, workers: int) -> None:
        """As `examples/hr_api/run` does it; returns when everything is up."""
        self.queuectl("migrate", "--quiet")
        self._run("-m", "hr.seed")
        port = self.url.rpartition(":")[2]
        self._spawn("-m", "uvicorn", "hr.main:create_app", "--factory", "--port", port, "--log-level", "warning")
        for number in range(1, workers + 1):
            self._spawn("-m", "queuectl", "work", f"--queue={QUEUES}", f"--name=hr-{number}")
        if not self.comes_true(self._answers):
            raise StageFailed(f"The API does not answer.\n{self.log()[-3000:]}")

    def queuectl(self, *arguments: str) -> str:
        """What a command of the operator prints."""
        return self._run("-m", "queuectl", *arguments)

    def rows(self, *command: str) -> list[dict[str, Any]]:
        """The rows of an operator's `--json`."""
        found: list[dict[str, Any]] = json.loads(self.queuectl(*command, "--json") or "[]")
        return found

    def comes_true(self, fact: Callable[[], bool], patience: float = PATIENCE) -> bool:
        """Wait for a fact, so many seconds at most; raises `StageFailed` once a process of ours has ended."""
        deadline = time.monotonic() + patience
        while not fact():
            if any(process.poll() is not None for process in self._processes):
                raise StageFailed(f"A process has ended.\n{self.log()[-3000:]}")
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def log(self) -> str:
        """What the API and its workers said."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        """Stop everything and leave nothing behind."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            _end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").is_success
        except httpx.TransportError:
            return False

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise StageFailed(f"{' '.join(arguments)} ended with {done.returncode}.\n{done.stdout}{done.stderr}")
        return done.stdout

    def _spawn(self, *arguments: str) -> None:
        with self._log.open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, *arguments],
                    cwd=self.folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
