"""`queue:table` and its like: artisan writes a migration, we print the table and say what makes it."""

from __future__ import annotations

from typing import Annotated

import typer

from queuectl.commands.databases import databases
from queuectl.commands.exit_codes import DONE
from queuectl.commands.session import Session

Connection = Annotated[str, typer.Argument(metavar="CONNECTION", show_default=False)]


def jobs_table(context: typer.Context, connection: Connection = "") -> int:
    """Print the statements that make the table of jobs; `queuectl migrate` runs them."""
    return _print(Session.of(context), connection, "jobs")


def failed_table(context: typer.Context, connection: Connection = "") -> int:
    """Print the statements that make the table of failed jobs; `queuectl migrate` runs them."""
    return _print(Session.of(context), connection, "failed_jobs")


def batches_table(context: typer.Context, connection: Connection = "") -> int:
    """Print the statements that make the table of batches; `queuectl migrate` runs them."""
    return _print(Session.of(context), connection, "job_batches")


def _print(session: Session, connection: str, table: str) -> int:
    from queuectl.migrations import ddl

    for settings in databases(session, connection):
        session.output.line(ddl(settings, only=table).rstrip("\n"))
    session.output.info("`queuectl migrate` creates it, together with the others.")
    return DONE
