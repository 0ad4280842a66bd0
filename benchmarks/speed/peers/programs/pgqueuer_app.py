"""pgqueuer on PostgreSQL, through asyncpg; `work` as an argument makes it a worker.

Not `pgq run`, which asks its log level for a name that the string it is has not got.
"""

from __future__ import annotations

import json
import os
import sys

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from speed.deeds import async_deed
from speed.producing import TEXT, run_async

URL = os.environ["SPEED_URL"]
CHUNK = 1_000
BATCH = 1_000 if os.environ.get("SPEED_MANY") else 10
"""10 is its default."""


async def consume() -> None:
    queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(URL)))

    @queuer.entrypoint("work")
    async def work(job: Job) -> None:
        await async_deed(json.loads(job.payload or b"{}")["number"])

    await queuer.run(batch_size=BATCH)


async def produce() -> None:
    connection = await asyncpg.connect(URL)
    queries = Queries(AsyncpgDriver(connection))

    async def bulk(count: int) -> None:
        for first in range(0, count, CHUNK):
            numbers = range(first, min(first + CHUNK, count))
            await queries.enqueue(["work"] * len(numbers), [payload(number) for number in numbers], [0] * len(numbers))

    await run_async(lambda number: queries.enqueue("work", payload(number)), bulk)
    await connection.close()


def payload(number: int) -> bytes:
    return json.dumps({"number": number, "text": TEXT}).encode()


if __name__ == "__main__":
    uvloop.run(consume() if sys.argv[1] == "work" else produce())
