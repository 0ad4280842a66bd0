"""The tables, as values."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
)

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
    Column("job_uuid", String),
    Column("user_id", BigInteger),
    Column("title", String),
    Column("message", String),
    Column("type", String),
    Column("priorite", String),
    Column("read_at", Seconds),
    Column("created_at", Seconds),
)
