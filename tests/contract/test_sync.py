"""The in-memory reference driver keeps the contract."""

from __future__ import annotations

import pytest

from queuectl.config import Connection
from queuectl.testing.contract import DriverContract, RealTimeContract


class _Sync:
    @pytest.fixture
    def connection(self) -> Connection:
        return Connection("sync", "sync")


class TestSync(_Sync, DriverContract):
    """With a clock that tests move."""


class TestSyncInRealTime(_Sync, RealTimeContract):
    """With the host's clock."""
