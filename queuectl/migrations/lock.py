"""One migration at a time, and who is in the way when a table stays locked."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from queuectl.drivers.database.session import Session
from queuectl.errors import DriverUnavailable
from queuectl.migrations.schema import Table

PATIENCE = 60.0
"""Seconds to wait for another migration, which may be building an index."""
TAKE = {
    "postgresql": "SELECT pg_try_advisory_lock(7163374229)",
    "mysql": "SELECT GET_LOCK(CONCAT('queuectl migrate ', DATABASE()), 0)",
}
GIVE = {
    "postgresql": "SELECT pg_advisory_unlock(7163374229)",
    "mysql": "SELECT RELEASE_LOCK(CONCAT('queuectl migrate ', DATABASE()))",
}
IN_THE_WAY = {
    "postgresql": (
        "SELECT DISTINCT a.pid, COALESCE(NULLIF(a.application_name, ''), a.usename), a.state FROM pg_locks l"
        " JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.granted AND a.pid <> pg_backend_pid()"
        " AND l.relation = to_regclass(:table)"
    ),
    "mysql": (
        "SELECT p.id, p.user, p.command FROM information_schema.innodb_trx t"
        " JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.id <> CONNECTION_ID()"
    ),
}


@contextlib.contextmanager
def locked(session: Session) -> Iterator[None]:
    """Alone among migrations; on SQLite, where DDL is part of a transaction, alone among writers."""
    name = session.grammar.dialect.name
    if name not in TAKE:
        with session.transaction():
            yield
        return
    deadline = time.monotonic() + PATIENCE
    while not session.run(TAKE[name]).rows[0][0]:
        if time.monotonic() > deadline:
            raise DriverUnavailable(
                f"Another migration has been running for {PATIENCE:.0f} seconds.", hint="Try later."
            )
        time.sleep(0.05)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):  # the session's end gives it back as well
            session.run(GIVE[name])


def blocked(session: Session, table: Table) -> DriverUnavailable:
    """The error that says who holds this table, as far as these credentials may know."""
    people = "; ".join(f"session {number} ({who}, {state})" for number, who, state in _in_the_way(session, table))
    return DriverUnavailable(
        f"The table {table.name} stayed locked for five seconds. In the way: {people or 'unknown'}.",
        hint="Let it finish or end it, and run `queuectl migrate` again: it continues where it stopped.",
    )


def _in_the_way(session: Session, table: Table) -> list[tuple[object, ...]]:
    text = IN_THE_WAY.get(session.grammar.dialect.name)
    if text is None:
        return []
    try:
        return session.run(text, table=".".join(f'"{part}"' for part in table.name.split("."))).rows
    except Exception:  # without the right to look, the first error is the one to tell
        return []
