"""arq on Redis."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings

from speed.deeds import async_deed
from speed.producing import TEXT, run_async

SETTINGS = RedisSettings.from_dsn(os.environ["SPEED_URL"])


async def work(context: dict[str, Any], number: int, text: str) -> None:
    await async_deed(number)


class WorkerSettings:
    functions = (work,)
    redis_settings = SETTINGS
    keep_result = 0
    max_jobs = 50
    """It looks for as many each half second: one at a time would be two a second."""


async def main() -> None:
    pool = await create_pool(SETTINGS)
    await run_async(lambda number: pool.enqueue_job("work", number, TEXT))
    await pool.aclose()


if __name__ == "__main__":
    asyncio.run(main())
