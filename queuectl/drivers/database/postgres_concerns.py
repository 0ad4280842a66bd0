"""What of a PostgreSQL server is worth an operator's attention."""

from __future__ import annotations

from collections.abc import Iterator

from queuectl.drivers.concern import Concern, certificate_concerns, is_near
from queuectl.drivers.database.address import Address
from queuectl.drivers.database.session import Session

SETTINGS = (
    "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('transaction_read_only'),"
    " pg_is_in_recovery(), quote_ident(current_database())"
)
ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
DEAD = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = to_regclass(:table)"
OLDEST = (
    "SELECT pid, COALESCE(NULLIF(application_name, ''), usename), extract(epoch FROM now() - xact_start)"
    " FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    " ORDER BY xact_start LIMIT 1"
)
MANY_DEAD = 50_000
"""Rows that were deleted and still lie in the way of whoever looks for the next job."""
LONG = 600.0
"""Seconds: as long as a transaction is open, nothing that was deleted since can be cleared away."""


def concerns(session: Session, address: Address) -> Iterator[Concern]:
    """Of the server, the table and the line to it."""
    yield from _settings(session)
    yield from _vacuum(session)
    yield from certificate_concerns(
        far=not is_near(address.option("host", address.host)),
        encrypted=any(encrypted for (encrypted,) in session.execute(ENCRYPTED, {}).rows),
        verified=address.option("sslmode").startswith("verify-"),
        fix="?sslmode=verify-full  # in the URL",
    )


def _settings(session: Session) -> Iterator[Concern]:
    ((fsync, whole_pages, read_only, replica, name),) = session.execute(SETTINGS, {}).rows
    if fsync == "off":
        text = "fsync is off: a power cut can destroy the whole database."
        yield Concern("durability", text, _set("fsync"))
    if whole_pages == "off":
        text = "full_page_writes is off: a power cut in the middle of a write can damage a table."
        yield Concern("durability", text, _set("full_page_writes"))
    if replica:
        text = "This is a standby: it takes no jobs."
        yield Concern("writing", text, "?target_session_attrs=read-write  # in the URL, with all hosts", grave=True)
    elif read_only == "on":
        fix = f"ALTER DATABASE {name} SET default_transaction_read_only = off;  -- in psql"
        yield Concern("writing", "Transactions are read-only: no job is taken.", fix, grave=True)


def _set(name: str) -> str:
    return f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();  -- in psql"


def _vacuum(session: Session) -> Iterator[Concern]:
    table = session.grammar.worded("{jobs}")
    for (dead,) in session.run(DEAD, table=table).rows:
        if dead > MANY_DEAD:
            yield Concern("vacuum", f"{dead:,} dead rows slow the queue down.", f"VACUUM {table};  -- in psql")
    for pid, who, age in session.execute(OLDEST, {}).rows:
        if age > LONG:
            text = f"A transaction of {who} (pid {pid}) is open for {age / 60:.0f} minutes, and dead rows pile up."
            yield Concern("vacuum", text, f"SELECT pg_terminate_backend({pid});  -- in psql, if nobody needs it")
