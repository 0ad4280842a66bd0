"""A server's own way of ending the connections of its clients."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from queuectl.testing.server import Server


def cut_sessions(server: Server) -> None:
    """All of them, whatever they are in the middle of."""
    scheme = urlsplit(server.url).scheme
    {"postgresql": _cut_postgres, "mysql": _cut_mariadb, "redis": _cut_redis}[scheme](server)


def _cut_postgres(server: Server) -> None:
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def _cut_mariadb(server: Server) -> None:
    import pymysql

    parts = urlsplit(server.url)
    with (
        pymysql.connect(host=parts.hostname, port=parts.port or 0, user=parts.username) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND user = 'root'")
        for (number,) in cursor.fetchall():
            _kill(cursor, number)


def _kill(cursor: Any, number: int) -> None:
    import pymysql

    with suppress(pymysql.err.OperationalError):  # it has left by itself
        cursor.execute(f"KILL {number}")


def _cut_redis(server: Server) -> None:
    import redis

    with redis.Redis.from_url(server.url) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
