"""The application's own database: SQLite for a first day, PostgreSQL by one variable."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Select,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url

Id = BigInteger().with_variant(Integer(), "sqlite")


class Moment(TypeDecorator[datetime.datetime]):
    """A time in UTC, also on SQLite, which has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime.datetime | None, dialect: Any) -> datetime.datetime | None:
        return value.replace(tzinfo=datetime.UTC) if value and value.tzinfo is None else value


class Seconds(TypeDecorator[datetime.datetime]):
    """A time in UTC that is kept as seconds since 1970."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, dialect: Any) -> float | None:
        return value.timestamp() if value else None

    def process_result_value(self, value: float | None, dialect: Any) -> datetime.datetime | None:
        return None if value is None else datetime.datetime.fromtimestamp(value, datetime.UTC)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("username", String(50), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("role", String(20), nullable=False),
    Column("manager_id", Id, ForeignKey("users.id")),
    Column("password", String(255), nullable=False),
)
evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("employee_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("author_id", Id, ForeignKey("users.id"), nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("comment", String(500), nullable=False),
    Column("at", Moment, nullable=False, default=now),
)
conges = Table(
    "conges",
    metadata,
    Column("id", Id, primary_key=True),
    Column("employee_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("start", Date, nullable=False),
    Column("end", Date, nullable=False),
    Column("reason", String(500), nullable=False),
    Column("state", String(20), nullable=False, default="pending"),
    Column("decided_by", Id, ForeignKey("users.id")),
    Column("at", Moment, nullable=False, default=now),
)
attendance = Table(
    "attendance",
    metadata,
    Column("id", Id, primary_key=True),
    Column("employee_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("photo", String(50), nullable=False, unique=True),
    Column("at", Moment, nullable=False, default=now),
)
notifications = Table(
    "notifications",
    MetaData(),  # not ours to create: `queuectl migrate` does, and SendNotificationJob fills it
    Column("id", Id, primary_key=True),
    Column("user_id", BigInteger),
    Column("title", String),
    Column("message", String),
    Column("type", String),
    Column("priorite", String),
    Column("read_at", Seconds),
    Column("created_at", Seconds),
)


Record = dict[str, Any]
"""A row by the names of its columns."""


class Database:
    """Runs one statement at a time, each a transaction of its own. May be shared by threads."""

    def __init__(self, url: str) -> None:
        """*url* is the one of queuectl's connection: `sqlite:///…` or `postgresql://…`."""
        self._reading = _engine(url)
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
        return _sqlite(url)
    return create_engine(re.sub(r"^postgres(ql)?:", "postgresql+psycopg:", url), pool_pre_ping=True, pool_size=20)


def _sqlite(url: str) -> Engine:
    Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=20)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;"
        )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins as a reader fails at once when it wants to write and somebody else did meanwhile.
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine
