"""The child's side at a concurrency above 1: plain jobs in threads, coroutines on one event loop.

The main thread runs no job: it takes what the parent sends and hands it on, so that no job keeps another waiting. Each
run sends its report itself; what others have to report meanwhile goes with it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from queue import SimpleQueue
from typing import NoReturn

from queuectl.runner import Attempt, Runner
from queuectl.worker.black_box import Writer
from queuectl.worker.child import call_failed, leave_if_forked
from queuectl.worker.frames import CHUNK, Frame, FrameReader, Kind
from queuectl.worker.messages import pack_report, run_from


def serve_many(line: socket.socket, box: Writer, runner: Runner, places: int) -> None:
    """Run what the parent sends, up to *places* at once, until it closes the line."""
    crowd, reader = Crowd(line, box, runner, places), FrameReader()
    while data := line.recv(CHUNK):
        crowd.take(reader.feed(data))


class Crowd:
    """The jobs that run here. Their number is the parent's concern: it never sends more than there are places."""

    def __init__(self, line: socket.socket, box: Writer, runner: Runner, places: int) -> None:
        self._box, self._runner = box, runner
        self._out = Outbox(line)
        self._born_as = os.getpid()
        self._places = places
        self._free = list(range(places))
        """Where in the black box nobody writes; taken and given back in single steps, which threads may do at once."""
        self._todo: SimpleQueue[Callable[[], bytes]] = SimpleQueue()
        self._threads = 0
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def take(self, frames: Iterable[Frame]) -> None:
        """Begin what these ask for, and return at once. Coroutines go to their loop together, and begin there."""
        coroutines: list[tuple[int, Attempt, float]] = []
        for frame in frames:
            if frame.kind is Kind.CANCEL:
                self._runner.loop.soon(partial(self._cancel, frame.key))
                continue
            if frame.kind is not Kind.RUN:
                self._in_a_thread(partial(call_failed, frame, self._runner))
                continue
            attempt, timeout = run_from(frame)
            if self._runner.is_async(attempt.job):
                coroutines.append((frame.key, attempt, timeout))
            else:
                self._in_a_thread(partial(self._run, frame.key, attempt))
        if coroutines:
            self._runner.loop.soon(partial(self._on_the_loop, coroutines))

    def _in_a_thread(self, work: Callable[[], bytes]) -> None:
        self._todo.put(work)
        if self._threads < self._places and self._todo.qsize():
            self._threads += 1
            threading.Thread(target=self._work, name=f"queuectl-job-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        """What each thread does for ever."""
        try:
            while True:
                report = self._todo.get()()
                leave_if_forked(self._born_as)
                self._out.send(report)
        except BaseException as error:
            _die_of(error)

    def _run(self, key: int, attempt: Attempt) -> bytes:
        place = self._free.pop()
        begins, is_cancelled = partial(self._box.begin, key, place), partial(self._box.is_cancelled, key)
        report = self._runner.run(attempt, begins=begins, is_cancelled=is_cancelled)
        self._free.append(place)
        return pack_report(key, report)

    def _on_the_loop(self, runs: Iterable[tuple[int, Attempt, float]]) -> None:
        for run in runs:
            # Kept here: the loop itself holds its tasks only weakly.
            self._tasks[run[0]] = asyncio.get_running_loop().create_task(self._run_async(*run))

    def _cancel(self, key: int) -> None:
        """End a coroutine, as its time limit would; a plain job has no such handle, and is waited for."""
        if (task := self._tasks.get(key)) is not None:
            task.cancel()

    async def _run_async(self, key: int, attempt: Attempt, timeout: float) -> None:
        try:
            place = self._free.pop()
            begins, is_cancelled = partial(self._box.begin, key, place), partial(self._box.is_cancelled, key)
            report = await self._runner.run_async(attempt, timeout=timeout, begins=begins, is_cancelled=is_cancelled)
            self._free.append(place)
            leave_if_forked(self._born_as)
            self._out.send(pack_report(key, report))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            _die_of(error)
        finally:
            self._tasks.pop(key, None)


def _die_of(error: BaseException) -> NoReturn:
    """What no job may let out has got out. A thread that ends in silence would be waited for in vain: the process ends,
    as it does where one job runs at a time, and its parent settles what ran."""
    traceback.print_exception(error)
    os._exit(1)


class Outbox:
    """Sends for many threads: whoever comes while another is sending leaves it to them."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._waiting: deque[bytes] = deque()
        self._sending = threading.Lock()

    def send(self, data: bytes) -> None:
        """Whole, and at once: by this thread or by the one that is at it."""
        self._waiting.append(data)
        while self._waiting and self._sending.acquire(blocking=False):
            try:
                self._line.sendall(b"".join(self._taken()))
            except ConnectionError:  # the parent has gone, and we are about to
                self._waiting.clear()
            finally:
                self._sending.release()

    def _taken(self) -> list[bytes]:
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
