"""The SQLite driver keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuectl.config import Connection
from queuectl.migrations import migrate
from queuectl.testing.contract import DriverContract, RealTimeContract


class _SQLite:
    @pytest.fixture
    def connection(self, tmp_path: Path) -> Connection:
        connection = Connection("database", "database", url=f"sqlite:///{tmp_path}/queue.sqlite")
        migrate(connection)
        return connection


class TestSQLite(_SQLite, DriverContract):
    """With a clock that tests move."""


class TestSQLiteInRealTime(_SQLite, RealTimeContract):
    """With the store's clock."""
