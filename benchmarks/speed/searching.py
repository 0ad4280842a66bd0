"""Whether a text is anywhere in a store, whatever library put it there in whatever form."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from typing import Any

from speed.mariadb import mariadb_cursor

BASE64 = "eHh4" * 4
"""Of the text's letters."""


def search_sqlite(url: str, text: str) -> bool:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.text_factory = bytes
        tables = [row[0].decode() for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return any(
            _holds(connection.execute(f'SELECT * FROM "{table}"'), text)  # noqa: S608  # a name that the database gave
            for table in tables
        )


def search_postgres(url: str, text: str) -> bool:
    import psycopg

    with psycopg.connect(url) as connection:
        names = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'"
        tables = [row[0] for row in connection.execute(names)]
        return any(
            _holds(connection.execute(f"SELECT * FROM {table}"), text)  # noqa: S608
            for table in tables
        )


def search_mariadb(url: str, text: str) -> bool:
    with mariadb_cursor(url) as cursor:
        cursor.execute("SHOW TABLES")
        for (table,) in list(cursor.fetchall()):
            cursor.execute(f"SELECT * FROM `{table}`")  # noqa: S608  # a name that the database gave
            if _holds(cursor.fetchall(), text):
                return True
    return False


def search_redis(url: str, text: str) -> bool:
    import redis

    with redis.Redis.from_url(url) as client:
        return any(_in_value(client, key, text) for key in client.scan_iter(count=1000))


def _in_value(client: Any, key: bytes, text: str) -> bool:
    """A stream keeps what was acknowledged: there, only what is pending counts."""
    match client.type(key):
        case b"string":
            found: Any = client.get(key)
        case b"hash":
            found = list(client.hgetall(key).values())
        case b"list":
            found = client.lrange(key, 0, -1)
        case b"set":
            found = list(client.smembers(key))
        case b"zset":
            found = client.zrange(key, 0, -1)
        case b"stream":
            return any(group["pending"] for group in client.xinfo_groups(key))
        case _:
            return False
    return _holds([[found]], text)


def _holds(rows: Iterable[Iterable[Any]], text: str) -> bool:
    """As text, as bytes, in the base64 that some put around it, or compressed as others do."""
    cells = [said for row in rows for cell in row for said in _said(cell)]
    return any(text in said or BASE64 in said for said in cells)


def _said(cell: Any) -> Iterator[str]:
    """The texts in what a client returned for one value."""
    if isinstance(cell, list):
        for one in cell:
            yield from _said(one)
    elif isinstance(cell, bytes):
        yield cell.decode(errors="replace")
        with suppress(zlib.error):
            yield zlib.decompress(cell).decode(errors="replace")
    else:
        yield repr(cell)


SEARCHES: dict[str, Callable[[str, str], bool]] = {
    "sqlite": search_sqlite,
    "postgres": search_postgres,
    "mariadb": search_mariadb,
    "redis": search_redis,
}
