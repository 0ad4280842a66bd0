"""The workers of a soak: what is killed is replaced, and one of them, the elder, never is."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress

from tests.acceptance.project import Project, Worker, until


class Fleet:
    """Some workers of one project, each with a number of children."""

    def __init__(self, project: Project, size: int, *options: str) -> None:
        self._project = project
        self._options = options
        self.elder = self._start()
        self.young = [self._start() for _ in range(size - 1)]

    @property
    def workers(self) -> list[Worker]:
        return [self.elder, *self.young]

    def children(self) -> set[int]:
        """Whoever may run a job at this moment."""
        return {pid for worker in self.workers for pid in children_of(worker)}

    def replace(self, worker: Worker) -> None:
        """Let another take the place of one that has ended."""
        self.young[self.young.index(worker)] = self._start()

    def assert_alive(self) -> None:
        """Nobody ends whom nobody has ended."""
        for worker in self.workers:
            assert worker.process.poll() is None, f"a worker ended by itself:\n{worker.output()[-3000:]}"

    def stop(self) -> None:
        """All of them, as a deployment does it."""
        for worker in self.workers:
            worker.signal(signal.SIGTERM)
        assert [worker.ends() for worker in self.workers] == [0] * len(self.workers)

    def _start(self) -> Worker:
        worker = self._project.work(*self._options)
        until(lambda: worker.process.poll() is None and children_of(worker), "a worker's children")
        return worker


def children_of(worker: Worker) -> list[int]:
    """None of one that has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return worker.children()
    return []


def freeze(worker: Worker) -> list[int]:
    """Its whole machine stands still; the children. The parent first: it starts nobody else."""
    worker.signal(signal.SIGSTOP)
    children = children_of(worker)
    send(children, signal.SIGSTOP)
    return children


def thaw(worker: Worker, children: Iterable[int]) -> None:
    send(children, signal.SIGCONT)
    worker.signal(signal.SIGCONT)


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """To whoever is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
