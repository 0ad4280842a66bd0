"""Chancy on PostgreSQL; `work` as an argument makes it a worker, `migrate` its tables."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from chancy import Chancy, Queue, Worker, job

from speed.deeds import async_deed
from speed.producing import TEXT, run_async

CHUNK = 1_000


@job(queue="default")
async def work(*, number: int, text: str) -> None:
    await async_deed(number)


async def main() -> None:
    async with Chancy(os.environ["SPEED_URL"], log=logging.getLogger("chancy")) as chancy:
        if sys.argv[1] == "migrate":
            await chancy.migrate()
        elif sys.argv[1] == "work":
            await consume(chancy)
        else:
            await produce(chancy)


async def consume(chancy: Chancy) -> None:
    await chancy.declare(queue(50), upsert=True)
    async with Worker(chancy) as worker:
        await worker.wait_for_shutdown()


async def produce(chancy: Chancy) -> None:
    await chancy.declare(queue(50))

    async def bulk(count: int) -> None:
        jobs = [one(number) for number in range(count)]
        async for _ in chancy.push_many(jobs, batch_size=CHUNK):
            pass

    await run_async(lambda number: chancy.push(one(number)), bulk)


def queue(at_once: int) -> Queue:
    """Without `eager_polling` it would take as many each five seconds."""
    return Queue("default", concurrency=at_once, executor=Chancy.Executor.Async, eager_polling=True)


def one(number: int) -> object:
    return work.job.with_kwargs(number=number, text=TEXT)


if __name__ == "__main__":
    from speed.peers.programs import chancy_app  # the worker imports the job by its module's own name

    asyncio.run(chancy_app.main())
