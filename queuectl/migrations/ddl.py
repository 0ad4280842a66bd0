"""The statements that make a table, its later columns and its indexes, in each database's words."""

from __future__ import annotations

from queuectl.drivers.database.dialect import Dialect
from queuectl.drivers.database.grammar import quoted
from queuectl.migrations.schema import Column, Index, Table

# By kind: SQLite, PostgreSQL, MySQL/MariaDB. Names that are looked up compare byte by byte everywhere.
_TYPES = {
    "id": (
        "integer PRIMARY KEY AUTOINCREMENT NOT NULL",
        "bigserial PRIMARY KEY",
        "bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY",
    ),
    "primary": (
        "varchar PRIMARY KEY NOT NULL",
        'varchar(255) COLLATE "C" PRIMARY KEY',
        "varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY",
    ),
    "key": ("varchar", "varchar(255)", "varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    "name": ("varchar", "varchar(255)", "varchar(255)"),
    "uuid": ("varchar", "varchar(64)", "varchar(64)"),
    "label": ("varchar", "varchar(50)", "varchar(50)"),
    "token": ("varchar", "varchar(32)", "varchar(32) CHARACTER SET ascii COLLATE ascii_bin"),
    "text": ("text", "text", "longtext"),
    "middle": ("text", "text", "mediumtext"),
    "small": ("integer", "smallint", "smallint unsigned"),
    "whole": ("integer", "integer", "int"),
    "big": ("integer", "bigint", "bigint"),
    "seconds": ("integer", "integer", "int unsigned"),
    "moment": ("real", "double precision", "double"),
    "timestamp": (
        "datetime DEFAULT CURRENT_TIMESTAMP",
        "timestamp(0) without time zone DEFAULT CURRENT_TIMESTAMP",
        "timestamp DEFAULT CURRENT_TIMESTAMP",
    ),
}
KINDS = {kind: dict(zip(("sqlite", "postgresql", "mysql"), types, strict=True)) for kind, types in _TYPES.items()}
KEYS_WITHIN = ("mysql",)
"""Where a table is made with its indexes: each statement is a transaction, and each writes files."""
_TAILS = {"mysql": " DEFAULT CHARACTER SET utf8mb4"}


def create_table(dialect: Dialect, table: Table) -> str:
    columns = [column_of(dialect, column) for column in table.columns]
    keys = [_key(dialect, table, index) for index in indexes(dialect, table) if dialect.name in KEYS_WITHIN]
    within = ",\n    ".join([*columns, *keys])
    return f"CREATE TABLE {quoted(dialect, table.name)} (\n    {within}\n){_TAILS.get(dialect.name, '')}"


def _key(dialect: Dialect, table: Table, index: Index) -> str:
    """An index as a part of the statement that makes its table."""
    columns = ", ".join(quoted(dialect, name) for name in index.columns)
    return f"{'UNIQUE ' if index.unique else ''}KEY {quoted(dialect, table.index_name(index))} ({columns})"


def column_of(dialect: Dialect, column: Column, *, added: bool = False) -> str:
    """A column's definition; one that is *added* to rows that are there can be empty."""
    said = f"{quoted(dialect, column.name)} {KINDS[column.kind][dialect.name]}"
    if column.kind in ("id", "primary"):
        return said
    null = "NULL" if column.null or added else "NOT NULL"
    return f"{said} {null}{f' DEFAULT {column.default}' if column.default else ''}"


def add_column(dialect: Dialect, table: Table, column: Column) -> str:
    return f"ALTER TABLE {quoted(dialect, table.name)} ADD COLUMN {column_of(dialect, column, added=True)}"


def create_index(dialect: Dialect, table: Table, index: Index, *, concurrently: bool = False) -> str:
    kind = f"{'UNIQUE ' if index.unique else ''}INDEX{' CONCURRENTLY' if concurrently else ''}"
    columns = ", ".join(quoted(dialect, name) for name in index.columns)
    where = f" WHERE {index.where}" if index.where else ""
    name = quoted(dialect, table.index_name(index))
    return f"CREATE {kind} {name} ON {quoted(dialect, table.name)} ({columns}){where}"


def indexes(dialect: Dialect, table: Table) -> list[Index]:
    """Those that this database is given."""
    return [index for index in table.indexes if dialect.name in index.on]


def separate(dialect: Dialect, table: Table) -> list[Index]:
    """Those that a new table gets by statements of their own."""
    return [] if dialect.name in KEYS_WITHIN else indexes(dialect, table)


def whole(dialect: Dialect, table: Table) -> list[str]:
    """Every statement that makes this table from nothing."""
    return [create_table(dialect, table), *(create_index(dialect, table, index) for index in separate(dialect, table))]
