"""The application's own database: SQLite for a first day, PostgreSQL by one variable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import URL, ColumnElement, Connection, Engine, Select, Table, create_engine, event

from hr.tables import metadata

Record = dict[str, Any]
"""A row by the names of its columns."""


class Database:
    """Runs one statement at a time, each a transaction of its own. May be shared by threads."""

    def __init__(self, url: str) -> None:
        """*url* is the one of queuectl's connection: `sqlite:///…` or `postgresql://…`."""
        self._reading = _engine(url)
        # A transaction that begins as a reader fails at once if it wants to write after somebody else did.
        self._writing = self._reading.execution_options(begin="BEGIN IMMEDIATE")

    def all(self, statement: Select[Any]) -> list[Record]:
        with self._reading.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def first(self, statement: Select[Any]) -> Record | None:
        return next(iter(self.all(statement.limit(1))), None)

    def insert(self, table: Table, **values: Any) -> Record:
        """The new row, durable when this returns."""
        with self._writing.begin() as connection:
            return dict(connection.execute(table.insert().values(**values).returning(table)).mappings().one())

    def update(self, table: Table, *conditions: ColumnElement[bool], **values: Any) -> Record | None:
        """The first row that fulfilled the conditions, as it is now, durable when this returns."""
        statement = table.update().where(*conditions).values(**values).returning(table)
        with self._writing.begin() as connection:
            row = connection.execute(statement).mappings().first()
        return None if row is None else dict(row)

    def create_tables(self) -> None:
        with self._writing.begin() as connection:
            metadata.create_all(connection)

    def close(self) -> None:
        self._reading.dispose()


def _engine(url: str) -> Engine:
    if url.startswith("sqlite:"):
        return _sqlite(Path(unquote(url.removeprefix("sqlite:///"))))
    return create_engine(re.sub(r"^postgres(ql)?:", "postgresql+psycopg:", url), pool_size=20, pool_pre_ping=True)


def _sqlite(file: Path) -> Engine:
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(URL.create("sqlite", database=str(file)), pool_size=20)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for setting in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 5000", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine
