"""What is missing between the tables as they should be and as they are: statements, each with words for people."""

from __future__ import annotations

from dataclasses import dataclass

from queuectl.drivers.database.grammar import quoted
from queuectl.drivers.database.session import Session
from queuectl.errors import ConfigurationError
from queuectl.migrations import catalog, ddl
from queuectl.migrations.schema import Index, Table


@dataclass(frozen=True, slots=True)
class Step:
    """One statement."""

    words: str
    sql: str


def plan(session: Session, table: Table, *, shared_index: bool) -> list[Step]:
    """The steps that give this table what it lacks; none if it lacks nothing. Rows are never touched."""
    present = catalog.columns(session, table)
    if not present:
        return _create(session, table)
    _refuse_a_strangers(table, present)
    return [*_columns(session, table, present), *_indexes(session, table, shared_index=shared_index)]


def _create(session: Session, table: Table) -> list[Step]:
    dialect = session.grammar.dialect
    first, *rest = ddl.whole(dialect, table)
    names = [table.index_name(index) for index in ddl.separate(dialect, table)]
    return [
        Step(f"created the table {table.name}", first),
        *(Step(f"created the index {name}", sql) for name, sql in zip(names, rest, strict=True)),
    ]


def _refuse_a_strangers(table: Table, present: set[str]) -> None:
    lacking = [column.name for column in table.columns if not column.ours and column.name not in present]
    if lacking:
        raise ConfigurationError(
            f"There is a table {table.name} that is not one of ours: it has no {', '.join(lacking)}.",
            hint="Configure another table name.",
        )


def _columns(session: Session, table: Table, present: set[str]) -> list[Step]:
    dialect = session.grammar.dialect
    return [
        Step(f"added the column {table.name}.{column.name}", ddl.add_column(dialect, table, column))
        for column in table.columns
        if column.name not in present
    ]


def _indexes(session: Session, table: Table, *, shared_index: bool) -> list[Step]:
    dialect, there = session.grammar.dialect, catalog.indexes(session, table)
    half_made = catalog.half_made_indexes(session, table)
    steps: list[Step] = []
    for index in ddl.indexes(dialect, table):
        name = table.index_name(index)
        if name in there or not _belongs(table, index, there, shared_index=shared_index):
            continue
        if name in half_made:
            steps.append(Step(f"dropped what was left of the index {name}", _drop(session, table, name)))
        # A live table must stay writable while its index is built.
        concurrently = dialect.name == "postgresql" and not catalog.is_empty(session, quoted(dialect, table.name))
        sql = ddl.create_index(dialect, table, index, concurrently=concurrently)
        steps.append(Step(f"created the index {name}", sql))
    return steps


def _belongs(table: Table, index: Index, there: set[str], *, shared_index: bool) -> bool:
    """Does an existing table get this index?"""
    laravels = bool(index.unless) and table.index_name(index, index.unless) in there
    return not index.fresh_only and (shared_index or not laravels)


def _drop(session: Session, table: Table, name: str) -> str:
    schema = table.name.rpartition(".")[0]
    return f"DROP INDEX CONCURRENTLY {quoted(session.grammar.dialect, f'{schema}.{name}' if schema else name)}"
