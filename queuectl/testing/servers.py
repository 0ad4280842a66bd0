"""The servers that tests start for themselves: Valkey, Redis 6.2, PostgreSQL and MariaDB."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from queuectl.testing.programs import MARIADB, POSTGRES, REDIS62, VALKEY, Program
from queuectl.testing.server import Server, ServerFailed

__all__ = ["SERVERS", "MariaDB", "Postgres", "Redis62", "Server", "ServerFailed", "Valkey"]


class _RedisLike(Server):
    """Redis's protocol. Not durable: memory only, a restart comes back empty."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        return f"unix://{self.folder}/redis.sock?db=0"

    def prepare(self) -> None:
        """It makes its own files."""

    def command(self) -> Sequence[str | Path]:
        settings = {
            "port": self.port,
            "bind": "127.0.0.1",
            "unixsocket": self.folder / "redis.sock",
            "unixsocketperm": 777,
            "dir": self.folder,
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "always",
            "shutdown-timeout": 0,
        }
        if self.program is REDIS62:
            del settings["shutdown-timeout"]  # came with 7.0
        return [self.executable, *(str(word) for key, value in settings.items() for word in (f"--{key}", value))]

    def is_ready(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")


class Valkey(_RedisLike):
    program: ClassVar[Program] = VALKEY


class Redis62(_RedisLike):
    program: ClassVar[Program] = REDIS62


class Postgres(Server):
    """Every password is accepted for `postgres`. Not durable: fsync off."""

    program: ClassVar[Program] = POSTGRES
    stop_signal = signal.SIGINT  # "fast": does not wait for clients to leave

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        initdb, data = self.executable.with_name("initdb"), f"--pgdata={self.folder / 'data'}"
        who = ("--username=postgres", "--auth=trust")
        self.run([initdb, data, *who, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"])

    def command(self) -> Sequence[str | Path]:
        switch = "on" if self.durable else "off"
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": 100,
            "shared_buffers": "32MB",
            "fsync": switch,
            "full_page_writes": switch,
            "synchronous_commit": "on",
            "max_wal_size": "256MB",
        }
        return [
            *(self.executable, "-D", self.folder / "data"),
            *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
        ]

    def is_ready(self) -> bool:
        lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


class MariaDB(Server):
    """`root` over TCP without a password. Not durable: commits reach the disk when they like."""

    program: ClassVar[Program] = MARIADB

    @property
    def url(self) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/test"

    def prepare(self) -> None:
        installer = shutil.which("mariadb-install-db", path=f"{self.executable.parent}:/usr/bin:/usr/local/bin")
        if installer is None:
            raise ServerFailed("mariadb-install-db is not beside mariadbd or in /usr/bin.")
        data = self.folder / "data"
        self.run([installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"])

    def command(self) -> Sequence[str | Path]:
        return [
            *(self.executable, "--no-defaults", f"--datadir={self.folder / 'data'}"),
            *("--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.folder / 'mariadb.sock'}"),
            *(f"--pid-file={self.folder / 'mariadb.pid'}", "--skip-name-resolve", "--skip-log-bin"),
            *("--innodb-buffer-pool-size=64M", f"--innodb-flush-log-at-trx-commit={int(self.durable)}"),
            *("--character-set-server=utf8mb4", "--performance-schema=OFF", "--max-connections=200"),
            *(() if self.durable else ("--innodb-flush-method=nosync", "--innodb-doublewrite=OFF")),
        ]

    def is_ready(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
            return bool(client.recv(5))


SERVERS: tuple[type[Server], ...] = (Valkey, Redis62, Postgres, MariaDB)
