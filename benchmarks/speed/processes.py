"""Processes that are measured: what they and their children use."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from queuectl.testing.server import descendants
from speed.producing import peak_of

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 10.0
"""Seconds that a worker is given to stop when asked."""


class WorkerEnded(Exception):
    """A worker is gone that should work."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a program used that ran to its end."""

    seconds: float
    cpu: float
    peak: int
    """Bytes."""
    output: str
    code: int


class Worker:
    """A worker with all its children, in the background."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log

    def tree(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)]

    def cpu(self) -> float:
        """Seconds that the parent and its living children have used."""
        return sum(map(cpu_of, self.tree()))

    def rss(self) -> list[int]:
        """Bytes in memory: the parent's, then each child's."""
        return [_rss_of(pid) for pid in self.tree()]

    def awaits(self, fact: Callable[[], bool], patience: float) -> None:
        """Wait until this is so; `WorkerEnded` if the worker is gone, or that has not come about in time."""
        deadline = time.monotonic() + patience
        while not fact():
            if self.process.poll() is not None:
                raise WorkerEnded(f"ended with {self.process.returncode}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise WorkerEnded(f"not done after {patience:.0f} s: {self.last_words()}")
            time.sleep(0.02)

    def last_words(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:200] if lines else "it said nothing"

    def kill(self) -> None:
        """SIGKILL to all of it at once."""
        for pid in self.tree():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it; then leave nothing of it behind."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()


def cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _rss_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def spent(command: Sequence[str | Path], folder: Path, environment: dict[str, str], *, watched: bool = False) -> Spent:
    """Run a program to its end and say what it used; its memory only if it is *watched*, which costs it a little."""
    with (folder / "output").open("w+b") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        peak = _watched(process.pid) if watched else 0
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    return Spent(seconds, used.ru_utime + used.ru_stime, peak, said, process.returncode)


def _watched(pid: int) -> int:
    """Look at a program's memory until it ends: what `wait4` tells begins with that of the process it came from."""
    peak = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak = max(peak, peak_of(Path(f"/proc/{pid}/status")))
        time.sleep(0.01)
    return peak
