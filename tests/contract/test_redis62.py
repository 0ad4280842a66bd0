"""The Redis driver keeps the contract on the oldest line it supports."""

from __future__ import annotations

import pytest

from queuectl.config import Connection
from queuectl.testing.contract import DriverContract, RealTimeContract
from queuectl.testing.servers import Redis62


class _OnRedis62:
    @pytest.fixture
    def connection(self, redis62: Redis62, prefix: str) -> Connection:
        return Connection("redis", "redis", url=redis62.url, prefix=prefix)


class TestOnRedis62(_OnRedis62, DriverContract):
    """With a clock that tests move."""


class TestOnRedis62InRealTime(_OnRedis62, RealTimeContract):
    """With the store's clock."""
