"""The ways in which the application is measured: where its jobs go, and what is wrong meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from latency.stage import Stage, StageFailed

HOLDER = """
import sqlite3, sys
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""

Trouble = Callable[[Stage], AbstractContextManager[None]]


def nothing(stage: Stage) -> AbstractContextManager[None]:
    return nullcontext()


@contextmanager
def server_killed(stage: Stage) -> Iterator[None]:
    """The queue's server is gone, and comes back."""
    server = stage.server
    if server is None:
        raise StageFailed(f"The connection {stage.connection} has no server to kill.")
    server.kill()
    yield
    server.start()


@contextmanager
def file_locked(stage: Stage) -> Iterator[None]:
    """Another program writes into the queue's file and does not come to an end."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, stage.queue_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        if holder.stdout is None or holder.stdout.readline() != b"locked\n":
            raise StageFailed(f"{stage.queue_file} could not be locked.")
        yield  # its input ends with this block, and so does its transaction


@dataclass(frozen=True, slots=True)
class Mode:
    """One phase of a run."""

    name: str
    """As `--modes` knows it."""
    title: str
    connection: str
    trouble: Trouble = nothing

    @property
    def is_queued(self) -> bool:
        return self.connection != "sync"

    @property
    def is_outage(self) -> bool:
        return self.trouble is not nothing


MODES = {
    mode.name: mode
    for mode in (
        Mode("sync", "sync: all in the request", "sync"),
        Mode("database", "database (SQLite)", "database"),
        Mode("redis", "redis", "redis"),
        Mode("redis-down", "redis, server killed", "redis", server_killed),
        Mode("file-locked", "database, file locked", "database", file_locked),
    )
}
