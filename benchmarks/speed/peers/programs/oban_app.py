"""Oban on PostgreSQL; `work` as an argument makes it a worker, `install` its tables."""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop
from oban import Oban, job
from oban.schema import install

from speed.deeds import async_deed
from speed.producing import TEXT, run_async

CHUNK = 1_000
AT_ONCE = 500 if os.environ.get("SPEED_MANY") else 10
"""10 is what its documentation begins with, as it has no default; 500 is where it does best."""


@job(queue="default")
async def work(number: int, text: str) -> None:
    await async_deed(number)


async def main() -> None:
    async with await Oban.create_pool(os.environ["SPEED_URL"]) as pool:
        if sys.argv[1] == "install":
            await install(pool)
        elif sys.argv[1] == "work":
            async with Oban(pool=pool, queues={"default": AT_ONCE}):
                await asyncio.Event().wait()
        else:
            await produce(Oban(pool=pool))


async def produce(oban: Oban) -> None:
    async def bulk(count: int) -> None:
        for first in range(0, count, CHUNK):
            await oban.enqueue_many(one(number) for number in range(first, min(first + CHUNK, count)))

    await run_async(lambda number: oban.enqueue(one(number)), bulk)


def one(number: int) -> object:
    return work.new(number, TEXT)


if __name__ == "__main__":
    from speed.peers.programs import oban_app  # the worker imports the job by its module's own name

    uvloop.run(oban_app.main())
