"""A job's `handle` inside its middleware, outermost first."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from queuectl.errors import JobDefinitionError
from queuectl.jobs.definition import Job
from queuectl.jobs.middleware import Middleware, declared_middleware, is_async

Rest = Callable[[], Awaitable[Any]]


def call_through(job: Job, everywhere: Sequence[Middleware]) -> Any:
    """Call a plain `handle` through its middleware."""
    call: Callable[[], Any] = partial(_plainly, job)
    for layer in reversed([*everywhere, *declared_middleware(job)]):
        if is_async(layer):
            raise JobDefinitionError(
                f"{type(job).__name__}: an `async` middleware, {_name(layer)}, cannot stand around a plain `handle`."
            )
        call = partial(layer, job, call)
    return call()


async def await_through(job: Job, everywhere: Sequence[Middleware]) -> Any:
    """Await an `async def handle` through its middleware. What is plain in it may wait for a store, or for a lock: it
    has a thread of its own and never keeps the loop."""
    rest: Rest = job.handle
    for layer in reversed([*everywhere, *declared_middleware(job)]):
        rest = partial(layer, job, rest) if is_async(layer) else partial(_beside, layer, job, rest)
    return await rest()


def _plainly(job: Job) -> Any:
    """A coroutine that nobody awaits would be a job that is done without having run."""
    returned = job.handle()
    if inspect.iscoroutine(returned):
        returned.close()
        raise JobDefinitionError(
            f"{type(job).__name__}.handle is async behind a decorator that is not, "
            "and cannot be called through middleware."
        )
    return returned


async def _beside(layer: Middleware, job: Job, rest: Rest) -> Any:
    """Call a plain middleware in a thread; its way on leads back to this loop."""
    loop, inside = asyncio.get_running_loop(), list[Future[_Ended]]()

    def go_on() -> Any:
        inside.append(asyncio.run_coroutine_threadsafe(_ended(rest), loop))
        raised, returned = inside[-1].result()
        if raised is not None:
            raise raised
        return returned

    thread = ThreadPoolExecutor(1, "queuectl-middleware")  # of its own: a pool could be full of those who wait
    work = loop.run_in_executor(thread, copy_context().run, layer, job, go_on)
    thread.shutdown(wait=False)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:  # its time is up: what it holds, such as a lock, is given back first
        for future in inside:
            future.cancel()
        await asyncio.gather(work, return_exceptions=True)
        raise


_Ended = tuple[BaseException | None, Any]


async def _ended(rest: Rest) -> _Ended:
    """As a value: a SystemExit in a task of its own would end the loop, and every other job on it."""
    try:
        return None, await rest()
    except BaseException as error:
        return error, None


def _name(layer: Middleware) -> str:
    return getattr(layer, "__qualname__", type(layer).__qualname__)
