"""Many rows at once, in the store's own words: pushed one by one, a million would take longer than the measurement."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

from queuectl.drivers.contract import Driver
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from speed.mariadb import mariadb_cursor
from speed.producing import TEXT

QUEUE = "default"
LATER = 36_000.0
"""Seconds for which delayed rows are."""
COLUMNS = "queue, payload, attempts, available_at, created_at"
PER_SCRIPT = 50_000
"""Jobs that one script makes on Redis."""
MANY = """
local id = 0
for number = 1, tonumber(ARGV[2]) do
    id = tonumber(ARGV[3]) + number
    local job = string.gsub(ARGV[1], '"id":"%x+"', string.format('"id":"%032x"', id), 1)
    if ARGV[4] == '' then redis.call('rpush', KEYS[1], job) else redis.call('zadd', KEYS[1], ARGV[4], job) end
end
"""


def entry(delay: float = 0.0) -> Entry:
    """A job as the producer of the workload makes it."""
    uuid = new_uuid()
    arguments = f'{{"number":0,"text":"{TEXT}"}}'
    return Entry(QUEUE, encode(job="Work", arguments=arguments, uuid=uuid, delay=delay), uuid, delay=delay)


def fill_sqlite(url: str, driver: Driver, ready: int, delayed: int) -> None:
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for count, model in _models(driver, ready, delayed):
            same = f"SELECT {COLUMNS} FROM jobs WHERE id = {model}"  # noqa: S608  # a number of ours
            connection.execute(
                f"INSERT INTO jobs ({COLUMNS}) {numbers} SELECT same.* FROM numbers, ({same}) AS same",  # noqa: S608
                (count,),
            )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fill_postgres(url: str, driver: Driver, ready: int, delayed: int) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for count, model in _models(driver, ready, delayed):
            connection.execute(
                f"INSERT INTO jobs ({COLUMNS}) SELECT {COLUMNS} FROM jobs, generate_series(1, %s) WHERE id = {model}",  # noqa: S608
                (count,),
            )
        connection.execute("VACUUM ANALYZE jobs")  # as autovacuum does a little later


def fill_mariadb(url: str, driver: Driver, ready: int, delayed: int) -> None:
    with mariadb_cursor(url) as cursor:
        for count, model in _models(driver, ready, delayed):
            same = f"SELECT {COLUMNS} FROM jobs WHERE id = {model}"  # noqa: S608  # a number of ours
            cursor.execute(f"INSERT INTO jobs ({COLUMNS}) SELECT same.* FROM seq_1_to_{count}, ({same}) AS same")  # noqa: S608
        cursor.connection.commit()
        cursor.execute("ANALYZE TABLE jobs")


def fill_redis(url: str, driver: Driver, ready: int, delayed: int) -> None:
    import redis

    with redis.Redis.from_url(url, socket_timeout=60) as client:
        for count, delay in ((ready, 0.0), (delayed, LATER)):
            key, payload = f"queues:{QUEUE}{':delayed' if delay else ''}", entry(delay).payload
            due = str(int(driver.now() + delay)) if delay else ""
            for first in range(0, count, PER_SCRIPT):
                client.eval(MANY, 1, key, payload, min(PER_SCRIPT, count - first), first, due)
    driver.push([entry()])


def _models(driver: Driver, ready: int, delayed: int) -> list[tuple[int, str]]:
    """How many of each kind, and the id of a row that is one of them."""
    found = []
    for count, delay, state in ((ready, 0.0, "ready"), (delayed, LATER, "delayed")):
        if count:
            driver.push([entry(delay)])
            page = driver.page(QUEUE, "delayed" if state == "delayed" else "ready", limit=1)
            found.append((count - 1, page.items[0].id))
    return found


FILLERS: dict[str, Callable[[str, Driver, int, int], None]] = {
    "sqlite": fill_sqlite,
    "postgres": fill_postgres,
    "mariadb": fill_mariadb,
    "redis": fill_redis,
}
