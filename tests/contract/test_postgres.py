"""The PostgreSQL driver keeps the contract."""

from __future__ import annotations

import pytest

from queuectl.config import Connection
from queuectl.migrations import migrate
from queuectl.testing.contract import DriverContract, RealTimeContract


class _Postgres:
    @pytest.fixture
    def connection(self, postgres_url: str) -> Connection:
        connection = Connection("database", "database", url=postgres_url)
        migrate(connection)
        return connection


class TestPostgres(_Postgres, DriverContract):
    """With a clock that tests move."""


class TestPostgresInRealTime(_Postgres, RealTimeContract):
    """With the store's clock."""
