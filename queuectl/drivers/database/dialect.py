"""What SQL databases disagree about, as one table. Everything else is one text (`texts`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """One database's own words. In `floor` and `ceil`, `@` stands for the value."""

    name: str
    label: str
    module: str
    """Where its `Engine` is; imported on first use."""
    extra: str
    """The extra of our distribution that brings its client library."""
    quote: str
    now: str
    """The store's clock, seconds since the epoch with a fraction; must not keep an index from being used."""
    bound: str
    """The time of a clock that is passed in, in the same place."""
    floor: str
    ceil: str
    least: str
    most_attempts: int
    """What the `attempts` column holds at most."""
    claim: str
    """Ends a SELECT whose rows the transaction is going to change."""
    by_key: str
    """Behind a table whose rows are named by their ids: it is not to be read whole, which locks what others want."""
    by_uuid: str
    """The same for rows whose uuids are known, parameter `uuids`; `@` stands for the table."""
    delete: tuple[str, str]
    """Around the ids of rows that are to be deleted, each found by its key; `@` stands for the table."""
    payload: str
    """Reads a payload column, whatever somebody wrote there."""
    epoch: str
    """`failed_at`, a timestamp in UTC, as seconds since the epoch."""
    to_integer: str
    to_text: str
    insert_new: tuple[str, str]
    """Around an INSERT that does nothing where the key is taken."""
    named: bool
    """Parameters are `:name`; otherwise `%(name)s`."""
    arrays: bool = False
    """Is a list one parameter?"""
    announces: bool = False
    """Is there a way to tell idle workers of a push?"""


SQLITE = Dialect(
    name="sqlite",
    label="SQLite",
    module="queuectl.drivers.database.sqlite",
    extra="",
    quote='"',
    now=":now",  # SQLite has no clock of its own: it is the host's
    bound=":now",
    floor="CAST(@ AS INTEGER)",
    ceil="CAST(@ AS INTEGER) + (@ > CAST(@ AS INTEGER))",
    least="MIN",
    most_attempts=32_767,
    claim="",
    by_key="",
    by_uuid="@ WHERE uuid IN (:uuids)",
    delete=("DELETE FROM @ WHERE id IN (", ")"),
    payload="CAST(payload AS BLOB)",
    epoch="CAST(strftime('%s', failed_at) AS REAL)",
    to_integer="INTEGER",
    to_text="TEXT",
    insert_new=("INSERT INTO", "ON CONFLICT DO NOTHING"),
    named=True,
)
POSTGRES = Dialect(
    name="postgresql",
    label="PostgreSQL",
    module="queuectl.drivers.database.postgres",
    extra="postgres",
    quote='"',
    now="CAST(extract(epoch FROM statement_timestamp()) AS double precision)",
    bound="CAST(:now AS double precision)",
    floor="CAST(floor(@) AS bigint)",
    ceil="CAST(ceil(@) AS bigint)",
    least="LEAST",
    most_attempts=32_767,
    claim="FOR UPDATE SKIP LOCKED",
    by_key="",
    by_uuid="@ WHERE uuid IN (:uuids)",
    delete=("DELETE FROM @ WHERE id IN (", ")"),
    payload="payload",
    epoch="CAST(extract(epoch FROM failed_at) AS double precision)",
    to_integer="bigint",
    to_text="text",
    insert_new=("INSERT INTO", "ON CONFLICT DO NOTHING"),
    named=False,
    arrays=True,
    announces=True,
)
MYSQL = Dialect(
    name="mysql",
    label="MySQL/MariaDB",
    module="queuectl.drivers.database.mysql",
    extra="mysql",
    quote="`",
    now="(UNIX_TIMESTAMP(NOW(6)) + 0e0)",  # the session's time zone is UTC, so no hour comes twice
    bound=":now",
    floor="CAST(FLOOR(@) AS SIGNED)",
    ceil="CAST(CEILING(@) AS SIGNED)",
    least="LEAST",
    most_attempts=65_535,
    claim="FOR UPDATE SKIP LOCKED",
    by_key=" FORCE INDEX (PRIMARY)",
    by_uuid=(  # the limit has the ids looked up first, which locks nothing
        "(SELECT id AS named FROM @ WHERE uuid IN (:uuids) LIMIT 100000) AS names"
        " STRAIGHT_JOIN @ FORCE INDEX (PRIMARY) ON id = named"
    ),
    delete=(  # no hint keeps a plain DELETE from reading a small table whole
        "DELETE @ FROM JSON_TABLE(CONCAT('[', CONCAT_WS(',', ",
        "), ']'), '$[*]' COLUMNS (named BIGINT PATH '$')) AS names STRAIGHT_JOIN @ FORCE INDEX (PRIMARY) ON id = named",
    ),
    payload="payload",
    epoch="(UNIX_TIMESTAMP(failed_at) + 0e0)",
    to_integer="SIGNED",
    to_text="CHAR",
    insert_new=("INSERT IGNORE INTO", ""),
    named=False,
)
DIALECTS = {dialect.name: dialect for dialect in (SQLITE, POSTGRES, MYSQL)}
SCHEMES = {
    "sqlite": SQLITE,
    "postgresql": POSTGRES,
    "postgres": POSTGRES,
    "mysql": MYSQL,
    "mariadb": MYSQL,
}
