"""The HR API in a folder of its own: its configuration copied, its code linked, its processes real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from queuectl.testing.server import free_port
from tests.acceptance.foreign import read_database
from tests.acceptance.project import until

SOURCE = Path(__file__).parents[2] / "examples/hr_api"
QUEUES = "--queue=notifications-high,notifications,default"
PATIENCE = 30


class Application:
    """Tables and people are made at once; the server and workers are started when a test asks for them."""

    def __init__(
        self,
        folder: Path,
        *,
        config: str = "queue.toml",
        database_url: str = "",
        like: Application | None = None,
        **environment: str,
    ) -> None:
        """With *database_url*, everything is in that database; with *like*, the tables and people are that one's."""
        self.folder = folder
        self.port = free_port()
        self.database_url = database_url or f"sqlite://{folder}/storage/app.sqlite"
        (folder / "conf").mkdir(parents=True)
        shutil.copy(SOURCE / "conf" / config, folder / "conf/queue.toml")
        (folder / "hr").symlink_to(SOURCE / "hr")
        everywhere = {"QUEUE_DATABASE_URL": database_url, "QUEUE_APP_URL": database_url} if database_url else {}
        self.environment = {**clean_environment(), **everywhere, **environment}
        self._processes: list[subprocess.Popen[str]] = []
        self._clients: list[httpx.Client] = []
        if like is None or database_url:
            self.cli("migrate")
            self.python("-m", "hr.seed")
        else:
            shutil.copytree(like.folder / "storage", folder / "storage")

    # Its parts

    def serve(self) -> subprocess.Popen[str]:
        """Start the server; it answers when this returns."""
        options = ("--port", str(self.port), "--log-level", "warning", "--timeout-graceful-shutdown", "5")
        server = self._start("uvicorn", "hr.main:create_app", "--factory", *options)
        until(lambda: self._answers(server), "the server's first answer")
        return server

    def work(self, *options: str) -> subprocess.Popen[str]:
        """Start a worker of all queues."""
        return self._start("queuectl", "work", QUEUES, *options)

    def drain(self) -> None:
        """Work until nothing is left."""
        self.cli("work", QUEUES, "--stop-when-empty")

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        with (self.folder / f"{module}-{len(self._processes)}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        self._processes.append(process)
        return process

    def _answers(self, server: subprocess.Popen[str]) -> bool:
        assert server.poll() is None, self.log("uvicorn")
        try:
            return httpx.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False

    # Looking at it

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, username: str = "") -> httpx.Client:
        """A client of its own; signed in, if a user is named."""
        client = httpx.Client(base_url=self.url, timeout=PATIENCE)
        self._clients.append(client)
        if username:
            client.post("/login", json={"username": username, "password": "demo"}).raise_for_status()
        return client

    def cli(self, *arguments: str) -> str:
        return self._run(sys.executable, "-m", "queuectl", *arguments)

    def python(self, *arguments: str) -> str:
        return self._run(sys.executable, *arguments)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def monitor(self) -> dict[str, int]:
        """Jobs by queue, as `queuectl monitor` counts them."""
        return {f"{one['connection']}:{one['queue']}": one["size"] for one in json.loads(self.cli("monitor", "--json"))}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the application's own database says."""
        return read_database(self.database_url, query)

    def log(self, module: str) -> str:
        return "".join(file.read_text() for file in self.folder.glob(f"{module}-*.log"))

    def close(self) -> None:
        for client in self._clients:
            client.close()
        for process in self._processes:
            process.kill()
            process.wait()


def clean_environment() -> dict[str, str]:
    ours = ("QUEUE", "REDIS_URL", "DATABASE_URL", "HR_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "PYTHONWARNINGS": "error"
    }
