"""Procrastinate on PostgreSQL."""

from __future__ import annotations

import asyncio
import os

from procrastinate import App, PsycopgConnector

from speed.deeds import async_deed
from speed.producing import TEXT, run_async

CHUNK = 1_000
app = App(connector=PsycopgConnector(conninfo=os.environ["SPEED_URL"]))


@app.task(name="work")
async def work(number: int, text: str) -> None:
    await async_deed(number)


async def main() -> None:
    async with app.open_async():
        await run_async(lambda number: work.defer_async(number=number, text=TEXT), bulk)


async def bulk(count: int) -> None:
    for first in range(0, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        await work.batch_defer_async(*({"number": number, "text": TEXT} for number in numbers))


if __name__ == "__main__":
    asyncio.run(main())
