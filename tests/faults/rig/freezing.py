"""Workers that stand still, as on a machine that swaps or a virtual one that is moved."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path

from tests.acceptance.project import Worker, until

POLLS = ("7", "73", "271")
"""poll and ppoll, by their numbers on x86-64 and arm64."""


def freeze(worker: Worker) -> list[int]:
    """Stop a worker and its children between two of its calls to the store: their ids, the worker's first.

    In the midst of a call it might hold a lock, and others would have to wait for the store's own limits.
    """
    pids = [worker.pid, *worker.children()]
    until(lambda: _waits(worker.pid), "the worker to wait")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return pids


def thaw(pids: Iterable[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def _waits(pid: int) -> bool:
    """Is it in a poll over more than one descriptor, which clients of databases never do? Perhaps nobody can tell."""
    try:
        words = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return True
    return words[0] in POLLS and int(words[2], 16) > 1
