"""Stores behind a wire: whoever uses the address of one, goes through the wire."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from queuectl.clock import Clock
from queuectl.config import Connection
from queuectl.drivers import build
from queuectl.drivers.contract import Driver
from queuectl.migrations import migrate
from queuectl.testing.databases import fresh_database, fresh_prefix
from queuectl.testing.wires import Wire

SERVERS = ("postgres", "mariadb", "valkey", "redis62")
"""The stores that are reached over a wire."""


@dataclass(frozen=True)
class Line:
    """A place of one test's own on a server, and the wire to it."""

    url: str
    prefix: str
    wire: Wire

    @property
    def through(self) -> str:
        """The address at the near end of the wire."""
        return self.url.replace(f":{urlsplit(self.url).port}/", f":{self.wire.port}/")

    @property
    def settings(self) -> dict[str, str]:
        """Of a `Project` at the near end."""
        if self.url.startswith("redis"):
            return {"redis_url": self.through, "prefix": self.prefix}
        return {"database_url": self.through}

    def connection(self, *, spoiled: bool, **settings: float) -> Connection:
        """At the near end if it is to be *spoiled*, else straight to the server."""
        kind = "redis" if self.url.startswith("redis") else "database"
        url = self.through if spoiled else self.url
        return Connection(kind, kind, url=url, prefix=self.prefix, **settings)

    def driver(self, *, spoiled: bool, clock: Clock | None = None) -> Driver:
        """The caller closes it."""
        return build(self.connection(spoiled=spoiled), clock=clock)


def lay(store: str, request: pytest.FixtureRequest) -> Line:
    """A line to an empty place on the session's server, with its tables made. The caller closes the wire."""
    server = request.getfixturevalue(store)
    url = server.url if "redis" in server.url else fresh_database(server)
    line = Line(url, fresh_prefix(), Wire(server.port))
    if not url.startswith("redis"):
        migrate(line.connection(spoiled=False))
    return line
