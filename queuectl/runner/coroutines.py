"""One event loop, on a thread of its own, for every `async def handle` of a runner."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from queuectl.errors import JobTimeout

T = TypeVar("T")
PATIENCE = 5.0
"""Seconds that cancelled coroutines get to end when the loop is closed."""


class EventLoop:
    """Runs coroutines for threads that wait for them; started by the first one."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._blocked = False
        self._lock = threading.Lock()

    def run(self, function: Callable[[], Awaitable[Any]], timeout: float = 0) -> BaseException | None:
        """Wait for what *function* returns, at most *timeout* seconds (0: for ever); what it raised, if it did."""
        if self._blocked:
            return _run_beside(function, timeout)
        if self._is_here():
            return self._run_beside_and_block(function, timeout)
        future = asyncio.run_coroutine_threadsafe(_ending_of(function, timeout), self._running_loop())
        try:
            return future.result()
        except BaseException:
            future.cancel()  # somebody stopped waiting (Ctrl-C): do not go on without them
            raise

    async def ending_of(self, function: Callable[[], Awaitable[Any]], timeout: float) -> BaseException | None:
        """`run`, for whoever is on the loop already."""
        return await _ending_of(function, timeout)

    async def beside(self, function: Callable[[], T]) -> T:
        """What *function* returns, which would block the loop."""
        return await asyncio.to_thread(function)

    def soon(self, function: Callable[[], object]) -> None:
        """Have the loop call *function*, and do not wait for it."""
        self._running_loop().call_soon_threadsafe(function)

    def close(self) -> None:
        """Cancel what runs, and stop."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None or self._pid != os.getpid() or self._is(thread):
            return
        asyncio.run_coroutine_threadsafe(_cancel_the_rest(), loop).result(2 * PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _run_beside_and_block(self, function: Callable[[], Awaitable[Any]], timeout: float) -> BaseException | None:
        """For a coroutine on this loop that dispatches another one and waits: meanwhile the loop stands still, and
        whatever runs because of it must run elsewhere."""
        self._blocked = True
        try:
            return _run_beside(function, timeout)
        finally:
            self._blocked = False

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():  # threads do not survive a fork
                self._pid = os.getpid()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="queuectl-async", daemon=True)
                self._thread.start()
            return self._loop

    def _is_here(self) -> bool:
        return self._thread is not None and self._is(self._thread)

    def _is(self, thread: threading.Thread) -> bool:
        return thread is threading.current_thread()


def _run_beside(function: Callable[[], Awaitable[Any]], timeout: float) -> BaseException | None:
    """On a loop and a thread of its own."""
    context = copy_context()
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(context.run, asyncio.run, _ending_of(function, timeout)).result()


async def _ending_of(function: Callable[[], Awaitable[Any]], timeout: float) -> BaseException | None:
    """What it raised, as a value: SystemExit would otherwise end the loop, and every other job on it."""
    try:
        await _within(function, timeout)
    except BaseException as error:
        return error
    return None


async def _within(function: Callable[[], Awaitable[Any]], timeout: float) -> None:
    try:
        async with asyncio.timeout(timeout or None) as limit:
            await function()
    except TimeoutError as error:
        if limit.expired():
            raise JobTimeout from error.__cause__
        raise


async def _cancel_the_rest() -> None:
    rest: list[asyncio.Task[Any]] = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=PATIENCE)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
