"""MariaDB as its root sees it, on a server of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit


@contextmanager
def mariadb_cursor(url: str) -> Iterator[Any]:
    """On a connection that is closed afterwards."""
    import pymysql

    parts = urlsplit(url)
    connection = pymysql.connect(host=parts.hostname, port=parts.port or 0, user="root", database=parts.path[1:])
    with closing(connection), connection.cursor() as cursor:
        yield cursor
