"""The one command that starts everything, and stops it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from queuectl.testing.databases import drop_database, fresh_database
from queuectl.testing.server import descendants, free_port
from queuectl.testing.servers import Postgres
from tests.acceptance.foreign import read_database
from tests.acceptance.project import until
from tests.example.application import SOURCE, clean_environment

VENV = f'#!/bin/sh\necho "{Path(sys.executable).parent}"\n'
"""Instead of the script that makes a virtual environment: the one that runs the tests."""

REQUEST_LEAVE = """
import httpx, os
with httpx.Client(base_url=os.environ["HR_URL"]) as awa:
    awa.post("/login", json={"username": "awa", "password": "demo"})
    days = {"start": "2026-12-01", "end": "2026-12-01"}
    awa.post("/api/conges", json={**days, "reason": "Rest"}).raise_for_status()
"""


class Checkout:
    """A clone, as far as the example goes, with a port of its own."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "examples/hr_api"
        shutil.copytree(SOURCE, self.folder, ignore=shutil.ignore_patterns("storage", "__pycache__"))
        (root / "scripts").mkdir()
        (root / "scripts/venv").write_text(VENV)
        self.port = free_port()
        self.environment = {**clean_environment(), "PORT": str(self.port)}
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *command: str, script: str = "run", **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [self.folder / script, *command],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def run(self, *command: str, script: str = "run", code: int = 0, **environment: str) -> tuple[str, str]:
        """Run it to its end: what it said on both streams."""
        process = self.start(*command, script=script, **environment)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"{process.returncode}\n{out}\n{err}"
        return out, err

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    yield made
    made.close()


def is_running(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_starts_everything_and_stops_everything(checkout: Checkout, number: signal.Signals, code: int) -> None:
    """The URL is printed once it answers; Ctrl-C, which all processes hear, or a TERM to the script leaves none."""
    script = checkout.start()
    assert script.stdout is not None
    url = next(line for line in script.stdout if "http://" in line).strip()
    with httpx.Client(base_url=url) as awa:
        awa.post("/login", json={"username": "awa", "password": "demo"}).raise_for_status()
        awa.post("/api/attendance", files={"photo": ("p.jpg", b"\xff\xd8\xff", "image/jpeg")}).raise_for_status()
        until(lambda: awa.get("/api/notifications").json()["unread"] == 1, "the notification")
    processes = descendants(script.pid)
    assert len(processes) >= 5  # the server, two workers, and a child of each
    if number is signal.SIGINT:
        os.killpg(script.pid, number)
    else:
        script.send_signal(number)
    out, err = script.communicate(timeout=60)
    assert script.returncode == code, out + err
    assert not any(map(is_running, processes))


def test_a_command_runs_while_everything_is_up(checkout: Checkout) -> None:
    """It is told where; its exit code is the script's; with no worker, what it queues stays where it is."""
    script = 'python -c "$1" && queuectl monitor --json && exit 7'
    out, _ = checkout.run("sh", "-c", script, "sh", REQUEST_LEAVE, WORKERS="0", code=7)
    [queue] = json.loads(out[out.index("[") :])
    assert (queue["queue"], queue["size"], queue["workers"]) == ("notifications", 1, 0)


def test_a_port_that_is_taken_is_said(checkout: Checkout) -> None:
    """By another server or by the application itself; nothing is left running."""
    with socket.create_server(("127.0.0.1", checkout.port)):
        _, err = checkout.run(code=1)
    assert "address already in use" in err
    _, err = checkout.run("sh", "-c", f"'{checkout.folder}/run'", WORKERS="0", code=1)
    assert "choose another port" in err


def test_one_variable_moves_everything_to_postgresql(checkout: Checkout, postgres: Postgres) -> None:
    """Tables, people, queue and notifications; no file of SQLite is made."""
    url = fresh_database(postgres)
    checkout.run("true", DATABASE_URL=url, WORKERS="0")
    assert read_database(url, "SELECT username FROM users ORDER BY id") == [("marc",), ("awa",)]
    assert read_database(url, "SELECT COUNT(*) FROM jobs") == [(0,)]
    assert not list(checkout.folder.rglob("*.sqlite"))
    drop_database(url)


def test_the_load_script_shows_urgent_notifications_overtaking(checkout: Checkout) -> None:
    """Two lines, one for each priority."""
    out, _ = checkout.run("60", script="load")
    [urgent, normal] = [line.split() for line in out.splitlines() if line.startswith(("haute", "normale"))]
    assert (urgent[1], normal[1]) == ("2", "58")
    assert int(urgent[-1]) > int(normal[-1])
