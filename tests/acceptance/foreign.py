"""Another program with the store's password: it writes what it likes into a queue."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

INSERT = (
    "INSERT INTO jobs (queue, payload, attempts, reserved_at, available_at, created_at) "
    "VALUES ('default', {}, 0, NULL, 0, 0)"
)


def push_to_redis(url: str, prefix: str, junk: bytes) -> None:
    import redis

    with redis.Redis.from_url(url) as client:
        client.rpush(f"{prefix}queues:default", junk)


def push_to_database(url: str, junk: bytes) -> None:
    """As text: what is not UTF-8 cannot get into a text column in the first place."""
    text = junk.decode("latin-1").replace("\0", "?")
    with closing(_connect(url)) as connection:
        connection.cursor().execute(INSERT.format("?" if url.startswith("sqlite") else "%s"), (text,))
        connection.commit()


def read_database(url: str, query: str) -> list[tuple[Any, ...]]:
    with closing(_connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]


def _connect(url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite3.connect(parts.path)
    if parts.scheme.startswith("postgres"):
        import psycopg

        return psycopg.connect(url)
    import pymysql

    return pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username, database=parts.path.strip("/")
    )
