"""A producer's program: pushes jobs by a plan and prints how long it took. The standard library only.

PROGRAM rate COUNT          as fast as it can, one at a time
PROGRAM pace COUNT          now and then, to a worker that has nothing to do
PROGRAM bursts COUNT SIZE   now and then, so many at once
PROGRAM bulk COUNT          in the largest steps that the library offers, after a few that are not measured
PROGRAM fill COUNT          the same without those
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

TEXT = "x" * 94
"""Makes the arguments of a job, `{"number": 12345, "text": "…"}`, 120 bytes long."""
WARM = 10
"""The first pushes open connections and are not measured."""
IN_BULK = ("bulk", "fill")
GAPS = (0.03, 0.13)
"""Seconds between two jobs for an idle worker."""


def run(push: Callable[[int], object], bulk: Callable[[int], object] | None = None) -> None:
    """Do what the command line says. *push* takes a job's number; *bulk*, how many to push, numbered from 0."""
    if sys.argv[1] in IN_BULK:
        _run_bulk(bulk or _no_bulk)
        return
    sent = []
    for gap, number in _plan():
        if gap:
            time.sleep(gap)
        sent.append(time.monotonic())
        push(number)
    _tell_paced(sent)


def _run_bulk(bulk: Callable[[int], object]) -> None:
    count = int(sys.argv[2])
    if sys.argv[1] == "bulk":
        bulk(WARM)
    started = time.monotonic()
    bulk(count)
    _tell(time.monotonic() - started, count)


async def run_async(
    push: Callable[[int], Awaitable[object]], bulk: Callable[[int], Awaitable[object]] | None = None
) -> None:
    """As `run`, for libraries that are asynchronous only."""
    if bulk is not None and sys.argv[1] in IN_BULK:
        await _run_bulk_async(bulk)
        return
    sent = []
    for gap, number in _plan():
        if gap:
            await asyncio.sleep(gap)
        sent.append(time.monotonic())
        await push(number)
    _tell_paced(sent)


async def _run_bulk_async(bulk: Callable[[int], Awaitable[object]]) -> None:
    count = int(sys.argv[2])
    if sys.argv[1] == "bulk":
        await bulk(WARM)
    started = time.monotonic()
    await bulk(count)
    _tell(time.monotonic() - started, count)


def _plan() -> Iterator[tuple[float, int]]:
    """The seconds to wait before each push, and the job's number."""
    mode, count = sys.argv[1], int(sys.argv[2])
    size = int(sys.argv[3]) if mode == "bursts" else 1
    gaps = random.Random(count)  # noqa: S311  # the same gaps for everybody
    for number in range(count):
        waits = mode in ("pace", "bursts") and number % size == 0
        yield gaps.uniform(*GAPS) if waits else 0.0, number


def _tell_paced(sent: list[float]) -> None:
    warm = WARM if len(sent) > 2 * WARM else 0
    _tell(time.monotonic() - sent[warm], len(sent) - warm, [] if sys.argv[1] == "rate" else sent)


def _tell(seconds: float, count: int, sent: list[float] | None = None) -> None:
    said = {"seconds": seconds, "count": count, "sent": sent or [], "peak": peak_of(Path("/proc/self/status"))}
    print(json.dumps(said))


def peak_of(status: Path) -> int:
    """The most bytes that the process of this file in /proc has had in memory; 0 once it is gone."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _no_bulk(count: int) -> None:
    raise SystemExit("There is no bulk push.")
