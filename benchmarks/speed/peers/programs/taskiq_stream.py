"""taskiq on a Redis stream: messages are acknowledged after the job."""

from __future__ import annotations

import asyncio
import os

from taskiq_redis import RedisStreamBroker

from speed.deeds import async_deed
from speed.producing import TEXT, run_async

broker = RedisStreamBroker(os.environ["SPEED_URL"])


@broker.task
async def work(number: int, text: str) -> None:
    await async_deed(number)


async def main() -> None:
    await broker.startup()
    await run_async(lambda number: work.kiq(number, TEXT))
    await broker.shutdown()


if __name__ == "__main__":
    from speed.peers.programs import taskiq_stream  # the worker looks for the task by the module's own name

    asyncio.run(taskiq_stream.main())
