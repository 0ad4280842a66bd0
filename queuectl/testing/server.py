"""A throw-away server: started by us in a folder of its own, killed, frozen and restarted at will, gone with us."""

from __future__ import annotations

import atexit
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from queuectl.testing.programs import UNPRIVILEGED, Program, must_step_down, version_of

PATIENCE = 30.0
"""Seconds within which a server must be ready or gone, on a busy machine."""
LOWEST_PORT, PORTS = 20_000, 12_000
WATCHER = 'read _; kill -9 "$1" $(cat /proc/"$1"/task/*/children) 2>/dev/null; sleep 0.3; rm -rf -- "$2"'
"""Its input ends when we die, however we die; then it takes the server and its folder away."""


class ServerFailed(Exception):
    """A test server did not do what it was told."""


class Server(ABC):
    """One private server on a random port of 127.0.0.1 and on a unix socket.

    *durable*: what was acknowledged survives `kill` and `restart` (and a power cut, as far as the machine allows);
    else it is as fast as it can be.
    """

    program: ClassVar[Program]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.executable = self.program.find()
        self.port = free_port()
        self.folder = _private_folder()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find it, over TCP."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """The command line that runs the server in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers clients. May raise `OSError` while it does not."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data, before the first start."""

    @property
    def version(self) -> str:
        return version_of(self.executable)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerFailed(f"{self.program.title} is not running.")
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers; the first start makes the data."""
        if not (self.folder / "log").exists():
            (self.folder / "log").touch()
            self.prepare()
        with (self.folder / "log").open("ab") as log:
            self._process = self._spawn(self.command(), log)
        self._watcher = _watch_over(self._process.pid, self.folder)
        self._await_ready(self._process)

    def stop(self) -> None:
        """As an operator stops it: clients are disconnected, everything is written."""
        self.thaw()
        self._end(self.stop_signal)

    def kill(self) -> None:
        """As a crash ends it: SIGKILL, to its helpers too."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start again, on the same port with the same data."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP to the server and all its helpers: connections stay open, and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def close(self) -> None:
        """Kill it and remove its folder."""
        atexit.unregister(self.close)
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def run(self, command: Sequence[str | Path]) -> None:
        """Run a program to its end as the server's user, in its folder."""
        with (self.folder / "log").open("ab") as log:
            if self._spawn(command, log).wait(timeout=PATIENCE):
                raise ServerFailed(f"{command[0]} failed:\n{self.log_tail()}")

    def log_tail(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def _spawn(self, command: Sequence[str | Path], log: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=self.folder,
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": str(self.folder),
                "TMPDIR": str(self.folder),  # a MariaDB that starts removes the temporary tables of its neighbours
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=UNPRIVILEGED if must_step_down() else None,
            group=_group_of_nobody() if must_step_down() else None,
            extra_groups=[] if must_step_down() else None,
        )

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"{self.program.title} did not start:\n{self.log_tail()}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            return self.is_ready()
        except OSError:
            return False

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        helpers = descendants(process.pid) if number == signal.SIGKILL else []
        for pid in (process.pid, *helpers):
            _send(pid, number)
        process.wait(timeout=PATIENCE)
        self._dismiss_watcher()

    def _dismiss_watcher(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is None or watcher.stdin is None:
            return
        watcher.kill()
        watcher.wait()
        watcher.stdin.close()

    def _signal_all(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        for pid in (self._process.pid, *descendants(self._process.pid)):
            _send(pid, number)


def free_port() -> int:
    """A port below those that the system gives to clients.

    Above, a client that knocks at a stopped server's port can be given that very port, and be connected to itself.
    """
    while True:
        port = LOWEST_PORT + secrets.randbelow(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def descendants(pid: int) -> list[int]:
    """Children and their children. Not the process group: each helper of PostgreSQL leads one of its own."""
    parents = _parents()
    found = [pid]
    for ancestor in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]


def _parents() -> dict[int, int]:
    """Each process's parent. `ps` is not part of every container, /proc not of every Unix."""
    if Path("/proc/self/stat").exists():
        return {int(path.parent.name): _parent_in(path) for path in Path("/proc").glob("[0-9]*/stat")}
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {int(child): int(parent) for child, parent in (line.split() for line in listed.splitlines())}


def _parent_in(path: Path) -> int:
    try:
        return int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0  # it ended while we looked


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _watch_over(pid: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", WATCHER, "queuectl-test-watcher", str(pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _private_folder() -> Path:
    """A short path: a unix socket's may have 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="queuectl-", dir="/tmp"))
    if must_step_down():
        shutil.chown(folder, UNPRIVILEGED, _group_of_nobody())
    return folder


def _group_of_nobody() -> int:
    return pwd.getpwnam(UNPRIVILEGED).pw_gid
