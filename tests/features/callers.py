"""Connections and sessions as applications have them, to the store of a test."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pymysql
import sqlalchemy
from sqlalchemy.orm import Session

from queuectl.drivers.database.address import parse

SCHEMES = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}


def plain(url: str) -> Any:
    """A connection of the client library itself."""
    address = parse(url)
    if address.dialect.name == "sqlite":
        return sqlite3.connect(address.database)
    if address.dialect.name == "postgresql":
        return psycopg.connect(url)
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password, database=address.database,
        unix_socket=address.option("unix_socket") or None,
    )  # fmt: skip


@contextmanager
def engine(url: str) -> Iterator[sqlalchemy.Engine]:
    scheme, _, rest = url.partition(":")
    made = sqlalchemy.create_engine(f"{SCHEMES.get(scheme, scheme)}:{rest}")
    yield made
    made.dispose()


@contextmanager
def plainly(url: str) -> Iterator[Any]:
    with closing(plain(url)) as connection:
        yield connection


@contextmanager
def session(url: str) -> Iterator[Any]:
    with engine(url) as made, Session(made) as opened:
        yield opened


@contextmanager
def alchemy(url: str) -> Iterator[Any]:
    with engine(url) as made, made.connect() as connection:
        yield connection


@contextmanager
def django(url: str) -> Iterator[Any]:
    """Its default connection, outside of any block."""
    from django import setup
    from django.conf import settings
    from django.db import connection, connections

    address = parse(url)
    if not settings.configured:
        default = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        settings.configure(DATABASES={"default": default}, LOGGING_CONFIG=None)
        setup()
    kind = {"sqlite": "sqlite3", "postgresql": "postgresql"}[address.dialect.name]
    place = {"NAME": address.database, "HOST": address.host, "PORT": address.port or "", "USER": address.user}
    given = {"ENGINE": f"django.db.backends.{kind}", "PASSWORD": address.password, **place}
    connections.settings["default"] = connections.configure_settings({"default": given})["default"]
    if hasattr(connections._connections, "default"):
        del connections["default"]
    yield connection
    connection.close()


def execute(caller: Any, statement: str) -> Any:
    """Run it, whatever the caller is."""
    if isinstance(caller, (Session, sqlalchemy.Connection)):
        return caller.execute(sqlalchemy.text(statement))
    cursor = caller.cursor()
    cursor.execute(statement)
    return cursor


Open = Callable[[str], Any]
CALLERS: dict[str, Open] = {"plain": plainly, "connection": alchemy, "session": session, "django": django}
DATABASES = ("sqlite", "postgres", "mariadb")
KINDS = [(database, kind) for database in DATABASES for kind in CALLERS if (database, kind) != ("mariadb", "django")]
"""What applications have to their databases; Django's to MariaDB needs a client library of its own."""
