"""What a measured job does: the same for everybody, chosen by the environment. The standard library only."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

from speed.marks import mark

VARIABLE = "SPEED_DEED"
NAP = 0.02
"""Seconds that a job waits for something."""
SPIN = 400_000
"""Steps that keep a core busy for some milliseconds."""
HOLD = 60.0
"""Seconds within which a job is killed."""
OFFSET = "SPEED_ENDS"
"""The mark, counted from a job's own, that notes its end."""


def nothing(number: int) -> None:
    mark(number)


def nap(number: int) -> None:
    mark(number)
    time.sleep(NAP)
    mark(number + int(os.environ[OFFSET]))


def spin(number: int) -> None:
    sum(range(SPIN))
    mark(number)


def hold(number: int) -> None:
    mark(number)
    time.sleep(HOLD)


async def nothing_async(number: int) -> None:
    mark(number)


async def nap_async(number: int) -> None:
    mark(number)
    await asyncio.sleep(NAP)
    mark(number + int(os.environ[OFFSET]))


async def hold_async(number: int) -> None:
    mark(number)
    await asyncio.sleep(HOLD)


DEEDS: dict[str, Callable[[int], None]] = {"nothing": nothing, "nap": nap, "spin": spin, "hold": hold}
ASYNC_DEEDS: dict[str, Callable[[int], Awaitable[None]]] = {
    "nothing": nothing_async,
    "nap": nap_async,
    "hold": hold_async,
}
deed = DEEDS[os.environ.get(VARIABLE, "nothing")]
async_deed = ASYNC_DEEDS.get(os.environ.get(VARIABLE, "nothing"), nothing_async)
