"""What one would type to see whether a server is there."""

from __future__ import annotations

from shlex import quote

from queuectl.config import Connection
from queuectl.drivers.database.address import parse
from queuectl.errors import ConfigurationError

SQL_CLIENTS = {"postgresql": "pg_isready{host}{port}", "mysql": "mysqladmin{host}{port} ping"}
FLAGS = {"postgresql": (" -h ", " -p "), "mysql": (" -h ", " -P ")}


def knock(connection: Connection) -> str:
    """A command that asks for a sign of life, without any secret."""
    try:
        if connection.driver == "redis":
            return _redis(connection.url)
        if connection.driver == "database":
            return _database(connection.url)
    except ConfigurationError:
        pass
    return "queuectl about"


def _redis(url: str) -> str:
    from queuectl.drivers.redis.address import parse  # its package imports the client

    node = parse(url).nodes[0]
    where = f"-s {quote(node.path)}" if node.path else f"-h {quote(node.host)} -p {node.port}"
    return f"redis-cli {where} ping"


def _database(url: str) -> str:
    address = parse(url)
    client = SQL_CLIENTS.get(address.dialect.name)
    if client is None:
        return f"fuser -v {quote(address.database)}"
    host, port = FLAGS[address.dialect.name]
    return client.format(
        host=f"{host}{quote(address.host)}" if address.host else "",
        port=f"{port}{address.port}" if address.port else "",
    )


def sqlite_file(connection: Connection) -> str:
    """The file of a connection to SQLite; empty for every other."""
    return parse(connection.url).database if connection.url.startswith("sqlite:") else ""
