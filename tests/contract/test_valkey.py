"""The Redis driver keeps the contract on Valkey."""

from __future__ import annotations

import pytest

from queuectl.config import Connection
from queuectl.testing.contract import DriverContract, RealTimeContract
from queuectl.testing.servers import Valkey


class _OnValkey:
    @pytest.fixture
    def connection(self, valkey: Valkey, prefix: str) -> Connection:
        return Connection("redis", "redis", url=valkey.url, prefix=prefix)


class TestOnValkey(_OnValkey, DriverContract):
    """With a clock that tests move."""


class TestOnValkeyInRealTime(_OnValkey, RealTimeContract):
    """With the store's clock."""
