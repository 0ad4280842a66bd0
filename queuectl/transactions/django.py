"""Django's connections. Nothing of Django is imported: what is given brings it along."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from queuectl.transactions.caller import Caller


class DjangoCaller(Caller):
    shown: ClassVar[str] = "A connection of Django"
    tells: ClassVar[bool] = True

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection

    @property
    def dialect(self) -> str:
        return str(self._connection.vendor)

    @property
    def raw(self) -> object:
        self._connection.ensure_connection()
        return self._connection.connection

    def execute(self, sql: str, values: Mapping[str, Any]) -> tuple[list[tuple[Any, ...]], int]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, dict(values) if values else None)
            return list(cursor.fetchall()) if cursor.description else [], cursor.rowcount

    def _hear(self, call: Callable[[], object]) -> None:
        self._connection.on_commit(call)

    @property
    def is_open(self) -> bool:
        return self._connection.connection is not None and (
            self._connection.in_atomic_block or not self._connection.autocommit
        )

    def begin(self) -> None:
        """A block begins it."""

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    @contextmanager
    def block(self) -> Iterator[None]:
        with sys.modules["django.db.transaction"].atomic(using=self._connection.alias):
            yield


def open_transaction() -> DjangoCaller | None:
    """Django's default connection, if this program uses Django and the connection is in an `atomic` block."""
    django = sys.modules.get("django.db")
    if django is None or not sys.modules["django.conf"].settings.configured:
        return None
    connection = django.connection
    return DjangoCaller(connection) if connection.in_atomic_block else None
