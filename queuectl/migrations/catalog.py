"""What is there already: tables, columns and indexes, asked of the database itself."""

from __future__ import annotations

from typing import Any

from queuectl.drivers.database.session import Session
from queuectl.migrations.schema import Table

COLUMNS = {
    "sqlite": "SELECT name FROM pragma_table_info(:table)",
    "postgresql": (
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:regclass) AND attnum > 0 AND NOT attisdropped"
    ),
    "mysql": (
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :table"
    ),
}
INDEXES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = :table",
    "postgresql": (
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = to_regclass(:regclass) AND i.indisvalid"
    ),
    "mysql": (
        "SELECT DISTINCT index_name FROM information_schema.statistics"
        " WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :table"
    ),
}
HALF_MADE = (
    "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE i.indrelid = to_regclass(:regclass) AND NOT i.indisvalid"
)


def columns(session: Session, table: Table) -> set[str]:
    """Empty if there is no such table."""
    return _names(session, COLUMNS[session.grammar.dialect.name], table)


def indexes(session: Session, table: Table) -> set[str]:
    return _names(session, INDEXES[session.grammar.dialect.name], table)


def half_made_indexes(session: Session, table: Table) -> set[str]:
    """What a CREATE INDEX CONCURRENTLY that failed has left behind."""
    return _names(session, HALF_MADE, table) if session.grammar.dialect.name == "postgresql" else set()


def is_empty(session: Session, name: str) -> bool:
    return not session.execute(f"SELECT 1 FROM {name} LIMIT 1", {}).rows  # noqa: S608  # a name that was checked


def _names(session: Session, text: str, table: Table) -> set[str]:
    schema, _, base = table.name.rpartition(".")
    values: dict[str, Any] = {"table": base}
    if ":schema" in text:
        values["schema"] = schema or None
    if ":regclass" in text:
        values = {"regclass": ".".join(f'"{part}"' for part in table.name.split("."))}
    return {str(row[0]) for row in session.run(text, **values).rows}
