"""Options that several commands share, so that one word means one thing everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="One JSON object a line.")]
Ids = Annotated[bool, typer.Option("--ids", help="Only the ids, one a line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Force = Annotated[bool, typer.Option("--force", "--yes", "-y", help="Do not ask.")]
Expect = Annotated[
    int | None, typer.Option("--expect", metavar="N", min=0, help="Refuse unless they are so many.", show_default=False)
]
Purge = Annotated[bool, typer.Option("--purge", help="Keep nothing for `queuectl undo`.")]
Group = Annotated[
    str,
    typer.Option("--group", metavar="FINGERPRINT", help="Of this group of `failed --group`; its beginning will do."),
]
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
QueuedIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID", help="uuids, short ids, ranges such as 1-5, or - to read ids from stdin.", show_default=False
    ),
]
