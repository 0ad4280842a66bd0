"""Telling people how far a running job is, without ever standing in its way."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from time import monotonic

from queuectl.errors import QueuectlError, UsageError
from queuectl.jobs.running import Running
from queuectl.jobs.runtime import current

SELDOM = 0.5
"""Seconds between two words about one job; what is said in between is not passed on, but the end is."""
logger = logging.getLogger("queuectl.progress")


def show(state: Running, fraction: float, text: str) -> None:
    """Write it where `jobs:show` and `top` read it, unless that was done a moment ago. A store that is away is not
    waited for by anybody else, and no error: the job goes on."""
    if not 0 <= fraction <= 1:
        raise UsageError(f"progress() takes a fraction from 0 to 1, not {fraction!r}.")
    now = monotonic()
    if fraction < 1 and now - state.shown_at < SELDOM:
        return
    state.shown_at = now
    write = partial(_write, state, fraction, text)
    if not _hand_over(write):
        write()


def _hand_over(write: Callable[[], object]) -> bool:
    """Whether there is an event loop here, which others wait for: then a thread of its own does it."""
    asyncio = sys.modules.get("asyncio")  # whoever runs a loop has it; nobody else is to pay for it
    if asyncio is None:
        return False
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return False
    loop.run_in_executor(None, copy_context().run, write)
    return True


def _write(state: Running, fraction: float, text: str) -> None:
    try:
        current().shared(state.connection).show_progress(state.uuid, fraction, text[:200])
    except QueuectlError as error:
        logger.debug("The progress of %s is not shown: %s", state.uuid, error)
