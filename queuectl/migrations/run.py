"""Looks, plans, and carries the plan out under a lock that keeps a second migration waiting."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from queuectl.drivers.database import texts
from queuectl.drivers.database.address import parse
from queuectl.drivers.database.dialect import SCHEMES
from queuectl.drivers.database.driver import engine_for
from queuectl.drivers.database.session import Engine, Fault, Session
from queuectl.drivers.database.sessions import Sessions
from queuectl.errors import ConfigurationError, TableMissing
from queuectl.migrations import catalog
from queuectl.migrations.ddl import whole
from queuectl.migrations.lock import blocked, locked
from queuectl.migrations.plan import plan
from queuectl.migrations.schema import CONTROL, FAILED_JOBS, JOB_BATCHES, JOBS, LEVEL, NOTIFICATIONS, REMOVED, Table

if TYPE_CHECKING:
    from queuectl.config import Connection

LEVEL_KEY = "schema:level"
LONGEST_STATEMENT = 3600.0
"""Seconds; building an index of a large table takes a while. Waiting for a lock ends after five."""


def migrate(
    connection: Connection, *, notifications_table: str = "notifications", shared_index: bool = False
) -> list[str]:
    """Bring the tables of this connection up to date, and say what was done; nothing, if nothing was missing.

    *shared_index*: on MySQL, also give a table that Laravel made the index that reserving wants. Raises
    `DriverUnavailable` naming who is in the way, and `ConfigurationError` for a table that is somebody else's.
    """
    engine = _engine(connection)
    _create(engine, connection)
    tables = _tables(connection, notifications_table)
    with _session(connection, engine) as sessions:
        return sessions.call(lambda session: _migrate(session, engine, tables, shared_index=shared_index))


def _create(engine: Engine, connection: Connection) -> None:
    try:
        engine.create()
    except OSError as error:
        reason = f"[{connection.name}] {error.filename} cannot be made: {error.strerror}."
        raise ConfigurationError(reason) from error


def pending(connection: Connection, *, notifications_table: str = "notifications", shared_index: bool = False) -> bool:
    """Is there anything for `migrate` to do?"""
    tables = _tables(connection, notifications_table)
    with _session(connection, _engine(connection)) as sessions:
        try:
            return sessions.call(lambda session: _is_behind(session, tables, shared_index=shared_index))
        except TableMissing:
            return True


def ddl(source: Connection | str, *, only: str | None = None, notifications_table: str = "notifications") -> str:
    """The statements that make the tables from nothing, for a connection or the name of a database.

    *only*: `jobs`, `failed_jobs`, `job_batches`, `control`, `removed` or `notifications`.
    """
    if isinstance(source, str):
        dialect = SCHEMES.get(source)
        tables = [JOBS, FAILED_JOBS, JOB_BATCHES, CONTROL, REMOVED, NOTIFICATIONS.named(notifications_table)]
    else:
        dialect, tables = parse(source.url).dialect, _tables(source, notifications_table)
    if dialect is None:
        raise ConfigurationError(f"{source!r} is not a database we know. Known: {', '.join(SCHEMES)}.")
    if only is not None and only not in {table.key for table in tables}:
        raise ConfigurationError(f"{only!r} is not one of our tables: {', '.join(table.key for table in tables)}.")
    wanted = [table for table in tables if only in (None, table.key)]
    return "\n\n".join(";\n".join(whole(dialect, table)) + ";" for table in wanted) + "\n"


def _tables(connection: Connection, notifications_table: str) -> list[Table]:
    return [
        CONTROL,
        JOBS.named(connection.table),
        FAILED_JOBS.named(connection.failed_table),
        JOB_BATCHES,
        REMOVED,
        NOTIFICATIONS.named(notifications_table),
    ]


def _engine(connection: Connection) -> Engine:
    return engine_for(connection, parse(connection.url), None, timeout=LONGEST_STATEMENT)


@contextlib.contextmanager
def _session(connection: Connection, engine: Engine) -> Iterator[Sessions]:
    address = parse(connection.url)
    sessions = Sessions(engine, place=address.place, secret=address.password, patience=5.0)
    try:
        yield sessions
    finally:
        sessions.close()


def _is_behind(session: Session, tables: list[Table], *, shared_index: bool) -> bool:
    return _level(session) < LEVEL or any(plan(session, table, shared_index=shared_index) for table in tables)


def _migrate(session: Session, engine: Engine, tables: list[Table], *, shared_index: bool) -> list[str]:
    with locked(session):
        level = _level(session)
        if level > LEVEL:
            raise ConfigurationError(
                f"The tables were made by a newer version of queuectl (level {level}, this one knows {LEVEL})."
            )
        done = [words for table in tables for words in _bring_up(session, engine, table, shared_index=shared_index)]
        if level < LEVEL:
            session.run(texts.CONTROL_FORGET, key=LEVEL_KEY)
            session.run(texts.CONTROL_INSERT, key=LEVEL_KEY, value=str(LEVEL), ttl=None)
    return done


def _level(session: Session) -> int:
    """The schema's level as the database remembers it; 0 before the first migration."""
    if not catalog.columns(session, CONTROL):
        return 0
    rows = session.run(texts.CONTROL_GET, key=LEVEL_KEY).rows
    return int(rows[0][0]) if rows else 0


def _bring_up(session: Session, engine: Engine, table: Table, *, shared_index: bool) -> list[str]:
    steps = plan(session, table, shared_index=shared_index)
    for step in steps:
        try:
            session.execute(step.sql, {})
        except Exception as error:
            if engine.explain(error) is Fault.BUSY:
                raise blocked(session, table) from error
            raise
    return [step.words for step in steps]
