"""Plain connections: sqlite3, psycopg, PyMySQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from queuectl.transactions.caller import Caller

Found = tuple[list[tuple[Any, ...]], int]


class PlainCaller(Caller):
    """What these have in common."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection

    @property
    def raw(self) -> object:
        return self._connection

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()


class SqliteCaller(PlainCaller):
    shown: ClassVar[str] = "A connection of sqlite3"
    named: ClassVar[bool] = True
    dialect = "sqlite"

    def execute(self, sql: str, values: Mapping[str, Any]) -> Found:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        cursor.execute(sql, values)
        return cursor.fetchall(), cursor.rowcount

    @property
    def is_open(self) -> bool:
        try:
            return bool(self._connection.in_transaction)
        except sqlite3.ProgrammingError:  # it is closed
            return False

    def begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")  # one that begins to write later may find that it cannot


class PsycopgCaller(PlainCaller):
    shown: ClassVar[str] = "A connection of psycopg"
    dialect = "postgresql"

    def execute(self, sql: str, values: Mapping[str, Any]) -> Found:
        from psycopg import Cursor
        from psycopg.rows import tuple_row

        with Cursor(self._connection, row_factory=tuple_row) as cursor:  # whatever cursors the application prefers
            cursor.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else [], cursor.rowcount

    @property
    def is_open(self) -> bool:
        return not self._connection.closed and self._connection.info.transaction_status.name != "IDLE"

    def begin(self) -> None:
        if self._connection.autocommit and not self.is_open:
            self._connection.execute("BEGIN")


class PymysqlCaller(PlainCaller):
    shown: ClassVar[str] = "A connection of PyMySQL"
    dialect = "mysql"

    def execute(self, sql: str, values: Mapping[str, Any]) -> Found:
        from pymysql.cursors import Cursor

        with self._connection.cursor(Cursor) as cursor:
            count = cursor.execute(sql, values or None)
            return list(cursor.fetchall()) if cursor.description else [], count

    @property
    def is_open(self) -> bool:
        from pymysql.constants.SERVER_STATUS import SERVER_STATUS_IN_TRANS

        return self._connection.open and bool(self._connection.server_status & SERVER_STATUS_IN_TRANS)

    def begin(self) -> None:
        if not self.is_open:
            self._connection.begin()
