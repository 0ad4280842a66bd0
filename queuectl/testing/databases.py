"""A database of its own for each test on a running server, and a key prefix of its own on Redis."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from queuectl.testing.servers import MariaDB, Postgres


def fresh_database(server: Postgres | MariaDB) -> str:
    """Create an empty database and return its URL."""
    name = f"t_{secrets.token_hex(6)}"
    _administer(server.url, f"CREATE DATABASE {name}")
    return server.url.rpartition("/")[0] + f"/{name}"


def drop_database(url: str) -> None:
    """Drop what `fresh_database` made, whoever is still connected."""
    base, _, name = url.rpartition("/")
    if base.startswith("postgres"):
        _administer(f"{base}/postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    else:
        _administer(f"{base}/mysql", f"DROP DATABASE IF EXISTS {name}")


def fresh_prefix() -> str:
    """A prefix for keys that no other test uses."""
    return f"t{secrets.token_hex(6)}:"


def _administer(url: str, statement: str) -> None:
    connection = _connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _connect(url: str) -> Any:
    if url.startswith("postgres"):
        import psycopg

        return psycopg.connect(url, autocommit=True)
    import pymysql

    parts = urlsplit(url)
    return pymysql.connect(host=parts.hostname, port=parts.port or 3306, user=parts.username, autocommit=True)
