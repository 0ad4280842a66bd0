"""Word to whoever subscribed on Redis: one message a notification, on the user's own channel."""

from __future__ import annotations

from typing import Any

from queuectl.drivers.redis.address import parse
from queuectl.drivers.redis.cluster import Cluster
from queuectl.drivers.redis.connect import Connector
from queuectl.drivers.redis.servers import OneServer, SentinelService
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.wire import command
from queuectl.notifications.services import as_message

TIMEOUT = 1.0
"""Seconds that connecting, and the reply, may take: a job waits for this, perhaps inside a request."""

SERVERS = {"sentinel": SentinelService, "cluster": Cluster}
"""On a cluster any node would do: it tells the others."""


class RedisNotifier:
    """Publishes each notification as JSON on its user's channel, `notifications.USER_ID`."""

    def __init__(self, url: str, *, channel: str = "notifications.") -> None:
        """*channel* is what stands before the user's id, prefix and all. Nothing is connected yet."""
        address = parse(url)
        servers = SERVERS.get(address.kind, OneServer)(Connector(address, TIMEOUT))
        self._store = Store(servers, prefix="", clock=None, place=address.place)
        self._channel = channel

    def broadcast(self, notification: dict[str, Any]) -> None:
        """Publish it; nobody may be listening. `DriverUnavailable` and its like if Redis did not take it."""
        channel = f"{self._channel}{notification['user_id']}"
        self._store.run([command(b"PUBLISH", channel.encode(), args=[as_message(notification)])])

    def close(self) -> None:
        self._store.servers.close()
