"""A real Supervisor of a test's own: no port, a socket in a short folder, and the lines that operators type."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.acceptance.project import until

CONFIGURATION = """\
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}

[unix_http_server]
file={folder}/s

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{folder}/s

[include]
files={included}
"""
STATUS = re.compile(r"^(?:\S+:)?(\S+)\s+([A-Z]+)\s+(?:pid (\d+))?", re.MULTILINE)


class Supervisord:
    """Supervisor with the files that *included* matches. It is started elsewhere, as a system's own one would be."""

    def __init__(self, included: str, environment: dict[str, str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sv"))  # a socket's path may have 108 bytes, which tmp_path may not
        self._configuration = self.folder / "supervisord.conf"
        self._configuration.write_text(CONFIGURATION.format(folder=self.folder, included=included))
        self._environment = environment
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "out").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", self._configuration],
                cwd="/",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        until(lambda: (self.folder / "s").exists() or process.poll() is not None, "Supervisor to listen")
        assert process.poll() is None, (self.folder / "out").read_text()
        return process

    def ctl(self, *words: str) -> str:
        """What `supervisorctl` says. Its exit code speaks of states, which a test looks at itself."""
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", self._configuration, *words]
        done = subprocess.run(
            command, env=self._environment, cwd="/", capture_output=True, text=True, timeout=120, check=False
        )
        assert not done.stderr, done.stderr
        return done.stdout

    def status(self) -> dict[str, str]:
        """States by the names of the processes."""
        return {name: state for name, state, _ in STATUS.findall(self.ctl("status"))}

    def pids(self) -> dict[str, int]:
        """Running processes by their names."""
        return {name: int(pid) for name, state, pid in STATUS.findall(self.ctl("status")) if state == "RUNNING"}

    def running(self, count: int) -> dict[str, int]:
        """Wait until so many run."""
        found: dict[str, int] = until(lambda: (pids := self.pids()) and len(pids) == count and pids, f"{count} workers")
        return found

    def log(self) -> str:
        return (self.folder / "supervisord.log").read_text()

    def close(self) -> None:
        """End everything now: it first, so that it starts nothing again. What a worker had started dies with it."""
        self._process.send_signal(signal.SIGSTOP)
        workers = self._children()
        self._process.kill()
        self._process.wait()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder)

    def _children(self) -> list[int]:
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def bare_environment(**more: str) -> dict[str, str]:
    """What a system's supervisor has: nothing of a shell's or of the tests'."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": os.environ.get("LANG", "C.UTF-8"), **more}
