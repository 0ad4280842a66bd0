"""The servers that a run starts for itself, and fresh places in them."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from itertools import count, cycle
from pathlib import Path
from typing import ClassVar

from queuectl.testing.databases import drop_database, fresh_database
from queuectl.testing.servers import MariaDB, Postgres, Server, Valkey


class Store(ABC):
    """One kind of store; every measurement gets an empty place in it."""

    name: ClassVar[str]
    about: ClassVar[str]
    """How it is set up."""

    @property
    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def fresh(self) -> str:
        """The URL of an empty place."""

    @abstractmethod
    def drop(self, url: str) -> None:
        """Take a place away."""


class Sqlite(Store):
    name, about = "sqlite", "a file in a temporary folder; every library with its own pragmas"

    @property
    def version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    def start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="queuectl-speed-"))
        self._numbers = count()

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def fresh(self) -> str:
        return f"sqlite:///{self._folder}/{next(self._numbers)}.sqlite"

    def drop(self, url: str) -> None:
        file = Path(url.removeprefix("sqlite:///"))
        for left in file.parent.glob(f"{file.name}*"):
            left.unlink()


class Served(Store):
    """A store with a server."""

    server: Server

    @property
    def version(self) -> str:
        return f"{self.server.program.title} {self.server.version}"

    def close(self) -> None:
        self.server.close()

    def drop(self, url: str) -> None:
        drop_database(url)


class PostgresStore(Served):
    name, about = "postgres", "fsync on, synchronous_commit on, max_wal_size 1 GB, shared_buffers 32 MB"
    server: Postgres

    def start(self) -> None:
        import psycopg

        self.server = Postgres(durable=True)
        self.server.start()
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_wal_size = '1GB'")
            connection.execute("SELECT pg_reload_conf()")

    def fresh(self) -> str:
        return fresh_database(self.server)


class MariaStore(Served):
    name, about = "mariadb", "innodb_flush_log_at_trx_commit 1, innodb_buffer_pool_size 64 MB"
    server: MariaDB

    def start(self) -> None:
        self.server = MariaDB(durable=True)
        self.server.start()

    def fresh(self) -> str:
        return fresh_database(self.server)


class RedisStore(Served):
    name, about = "redis", "append-only file, written to disk every second"
    server: Valkey

    def start(self) -> None:
        self.server = Valkey()
        self.server.start()
        self._databases = cycle(range(1, 16))
        self._tell(0, "CONFIG", "SET", "appendfsync", "everysec")
        self._tell(0, "CONFIG", "SET", "appendonly", "yes")

    def fresh(self) -> str:
        database = next(self._databases)
        self._tell(database, "FLUSHDB")
        return f"redis://127.0.0.1:{self.server.port}/{database}"

    def drop(self, url: str) -> None:
        self._tell(int(url.rpartition("/")[2]), "FLUSHDB")

    def _tell(self, database: int, *words: str) -> None:
        import redis

        with redis.Redis(port=self.server.port, db=database) as client:
            client.execute_command(*words)


STORES: dict[str, type[Store]] = {kind.name: kind for kind in (Sqlite, PostgresStore, MariaStore, RedisStore)}
