"""The tables as values: Laravel's, with what is ours beside it. Which database says it how is `ddl`'s business."""

from __future__ import annotations

from dataclasses import dataclass, replace

LEVEL = 2
"""Counts the changes to this file that reached users; the database remembers which one it has seen."""
PARTIAL = ("sqlite", "postgresql")
"""Databases whose indexes can leave rows out."""


@dataclass(frozen=True, slots=True)
class Column:
    """*kind* is a key of `ddl.KINDS`."""

    name: str
    kind: str
    null: bool = False
    default: str = ""
    ours: bool = False
    """Added, nullable, to a table that was made without it; a table that lacks any other column is not one of ours."""


@dataclass(frozen=True, slots=True)
class Index:
    """`{table}` in the name stands for the table's."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    where: str = ""
    on: tuple[str, ...] = ("sqlite", "postgresql", "mysql")
    fresh_only: bool = False
    """A table that somebody else made does without it."""
    unless: str = ""
    """A table that has an index of this name gets it only when asked for: Laravel made that table, and its own query
    can deadlock with this index."""


@dataclass(frozen=True, slots=True)
class Table:
    """*key* says which of the tables it is, whatever it is called here."""

    key: str
    name: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()

    def named(self, name: str) -> Table:
        return replace(self, name=name)

    @property
    def base(self) -> str:
        """The name without its schema."""
        return self.name.rpartition(".")[2]

    def index_name(self, index: Index, name: str = "") -> str:
        return (name or index.name).replace("{table}", self.base)


_WAITING = ("queue", "payload", "available_at", "created_at", "parked_at")
"""What of a job is kept when it is removed."""
JOBS = Table(
    "jobs",
    "jobs",
    (
        Column("id", "id"),
        Column("queue", "key"),
        Column("payload", "text"),
        Column("attempts", "small"),
        Column("reserved_at", "seconds", null=True),
        Column("available_at", "seconds"),
        Column("created_at", "seconds"),
        Column("reserved_by", "token", null=True, ours=True),
        Column("lease_until", "moment", null=True, ours=True),
        Column("parked_at", "moment", null=True, ours=True),
    ),
    (
        # Laravel's; on SQLite a page more to write for each job, and on MySQL what the next one begins with.
        Index("{table}_queue_index", ("queue",), on=("postgresql",)),
        Index("{table}_ready_index", ("queue", "available_at", "id"), where="reserved_at IS NULL", on=PARTIAL),
        Index(
            "{table}_ready_index",
            ("queue", "reserved_at", "available_at", "id"),
            on=("mysql",),
            unless="{table}_queue_index",
        ),
        Index("{table}_lease_index", ("lease_until",), where="lease_until IS NOT NULL", on=PARTIAL),
        Index("{table}_lease_index", ("lease_until",), on=("mysql",)),
        Index(
            "{table}_foreign_index",
            ("reserved_at",),
            where="reserved_at IS NOT NULL AND reserved_by IS NULL",
            on=PARTIAL,
        ),
        Index("{table}_foreign_index", ("reserved_by", "reserved_at"), on=("mysql",)),
    ),
)
FAILED_JOBS = Table(
    "failed_jobs",
    "failed_jobs",
    (
        Column("id", "id"),
        Column("uuid", "name", ours=True),  # tables of Laravel before 8 have none
        Column("connection", "name"),
        Column("queue", "name"),
        Column("payload", "text"),
        Column("exception", "text"),
        Column("failed_at", "timestamp"),
        Column("job", "name", null=True, ours=True),
        Column("error", "name", null=True, ours=True),
        Column("message", "text", null=True, ours=True),
        Column("attempts", "whole", null=True, ours=True),
        Column("failed_time", "moment", null=True, ours=True),
        Column("fingerprint", "token", null=True, ours=True),
        Column("place", "name", null=True, ours=True),
    ),
    (
        Index("{table}_uuid_unique", ("uuid",), unique=True),
        Index("{table}_connection_queue_failed_at_index", ("connection", "queue", "failed_at"), fresh_only=True),
    ),
)
JOB_BATCHES = Table(
    "job_batches",
    "job_batches",
    (
        Column("id", "primary"),
        Column("name", "name"),
        Column("total_jobs", "whole"),
        Column("pending_jobs", "whole"),
        Column("failed_jobs", "whole"),
        Column("failed_job_ids", "text"),
        Column("options", "middle", null=True),
        Column("cancelled_at", "whole", null=True),
        Column("created_at", "whole"),
        Column("finished_at", "whole", null=True),
    ),
)
CONTROL = Table(
    "control",
    "queuectl_control",
    (
        Column("key", "primary"),
        Column("value", "text"),
        Column("expires_at", "moment", null=True),
    ),
    (Index("{table}_expires_at_index", ("expires_at",)),),
)
REMOVED = Table(
    "removed",
    "queuectl_removed",
    (
        Column("id", "id"),
        Column("operation", "key"),
        Column("source", "name"),
        Column("kept_until", "moment"),
        Column("running", "small"),
        Column("row_id", "big"),
        *(replace(column, null=True) for column in JOBS.columns if column.name in _WAITING),
        *(replace(column, null=True) for column in FAILED_JOBS.columns if column.name not in ("id", *_WAITING)),
    ),
    (
        Index("{table}_operation_index", ("operation", "id")),
        Index("{table}_kept_until_index", ("kept_until",)),
    ),
)
NOTIFICATIONS = Table(
    "notifications",
    "notifications",
    (
        Column("id", "id"),
        Column("job_uuid", "uuid"),
        Column("user_id", "big"),
        Column("type", "label", default="'info'"),
        Column("title", "name"),
        Column("message", "text"),
        Column("priorite", "label", default="'normale'"),
        Column("data", "text", null=True),
        Column("read_at", "moment", null=True),
        Column("broadcast_at", "moment", null=True),
        Column("created_at", "moment"),
    ),
    (
        Index("{table}_job_uuid_unique", ("job_uuid",), unique=True),
        Index("{table}_user_id_id_index", ("user_id", "id")),
    ),
)
