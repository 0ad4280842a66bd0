"""The MariaDB driver keeps the contract."""

from __future__ import annotations

import pytest

from queuectl.config import Connection
from queuectl.migrations import migrate
from queuectl.testing.contract import DriverContract, RealTimeContract


class _MariaDB:
    @pytest.fixture
    def connection(self, mariadb_url: str) -> Connection:
        connection = Connection("database", "database", url=mariadb_url)
        migrate(connection)
        return connection


class TestMariaDB(_MariaDB, DriverContract):
    """With a clock that tests move."""


class TestMariaDBInRealTime(_MariaDB, RealTimeContract):
    """With the store's clock."""
