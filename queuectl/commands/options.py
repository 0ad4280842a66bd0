"""Options that several commands share, so that one word means one thing everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Ids = Annotated[bool, typer.Option("--ids", help="Only the ids, one a line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Force = Annotated[bool, typer.Option("--force", "--yes", "-y", help="Do not ask.")]
Connection = Annotated[str, typer.Option("--connection", metavar="NAME", help="Only this connection.")]
Foreign = Annotated[bool, typer.Option("--foreign", help="Jobs of a PHP application as well.")]
FailedIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="uuids, short ids, ranges such as 1-5, `all`, or - to read ids from stdin.",
        show_default=False,
    ),
]
