"""Connections of redis-py, built by hand: no retries of its own (a repeated pop loses a job), every wait bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry

from queuectl.drivers.redis.wire import Link

if TYPE_CHECKING:
    from queuectl.drivers.redis.address import Address, Node

PROTOCOL = 2
TCP: Any = Connection
TLS: Any = SSLConnection
SOCKET: Any = UnixDomainSocketConnection
"""Typed in parts only, so used untyped."""


class Connector:
    """Opens links to the servers of one address."""

    def __init__(self, address: Address, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        """Seconds that connecting, and each reply, may take."""

    def link(self, node: Node) -> Link:
        """To a server that holds queues."""
        address = self.address
        return Link(self._connection(node, db=address.db, username=address.username, password=address.password))

    def sentinel(self, node: Node) -> Link:
        """To a Sentinel, which has credentials of its own."""
        options = self.address.options
        username, password = options.get("sentinel_username") or None, options.get("sentinel_password") or None
        return Link(self._connection(node, db=0, username=username, password=password))

    def waiting(self, node: Node, seconds: float) -> Link:
        """To a server that holds queues, for a command that blocks so long."""
        address = self.address
        timeout = self.timeout + seconds
        credentials = {"db": address.db, "username": address.username, "password": address.password}
        return Link(self._connection(node, **credentials, timeout=timeout))

    def _connection(self, node: Node, *, timeout: float | None = None, **settings: Any) -> Any:
        common = {
            **settings,
            "socket_timeout": timeout or self.timeout,
            "retry": Retry(NoBackoff(), 0),
            "protocol": PROTOCOL,
        }
        if node.path:
            return SOCKET(path=node.path, **common)
        common |= {"host": node.host, "port": node.port, "socket_keepalive": True}
        common["socket_connect_timeout"] = self.timeout
        if self.address.tls:
            return TLS(**common, **self.address.tls_options)
        return TCP(**common)
