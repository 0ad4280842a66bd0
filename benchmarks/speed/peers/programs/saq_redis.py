"""saq on Redis."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from saq import Queue

from speed.deeds import async_deed
from speed.producing import TEXT, run_async

queue = Queue.from_url(os.environ["SPEED_URL"])


async def work(context: dict[str, Any], *, number: int, text: str) -> None:
    await async_deed(number)


settings = {"queue": queue, "functions": [work], "concurrency": 50 if os.environ.get("SPEED_MANY") else 1}


async def main() -> None:
    await queue.connect()
    await run_async(lambda number: queue.enqueue("work", number=number, text=TEXT))
    await queue.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
