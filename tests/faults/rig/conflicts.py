"""Deadlocks and lock time-outs on order: the n-th statement that changes a table ends in one."""

from __future__ import annotations

from collections.abc import Iterator

from tests.unit.database.conftest import Raw

TABLES = ("jobs", "failed_jobs", "queuectl_control")
SERIALIZATION, DEADLOCK, LOCK_TIMEOUT = "40001", "40P01", "55P03"
ERRORS = {"postgres": (SERIALIZATION, DEADLOCK, LOCK_TIMEOUT), "mariadb": ("1213", "1205")}
"""What each server calls them."""

POSTGRES = """
CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('statements') = (SELECT number FROM plan) THEN
        RAISE EXCEPTION 'a conflict on order' USING ERRCODE = (SELECT code FROM plan);
    END IF;
    RETURN NULL;
END $$
"""
ON_STATEMENT = (
    "CREATE TRIGGER {0} BEFORE INSERT OR UPDATE OR DELETE ON {0} FOR EACH STATEMENT EXECUTE FUNCTION conflict()"
)
ON_ROW = """
CREATE TRIGGER {table}_{event} BEFORE {event} ON {table} FOR EACH ROW
BEGIN
    DECLARE wanted INT DEFAULT (SELECT code FROM plan);
    IF NEXTVAL(statements) = (SELECT number FROM plan) THEN
        SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = wanted, MESSAGE_TEXT = 'a conflict on order';
    END IF;
END
"""


class Conflicts:
    """On one database, whose tables are made."""

    def __init__(self, url: str) -> None:
        self._run = Raw(url)
        self._run("CREATE SEQUENCE statements")
        self._run("CREATE TABLE plan (number bigint, code varchar(8))")
        for statement in _triggers(url):
            self._run(statement)

    def order(self, number: int, code: str) -> None:
        """The *number*-th change from now on, and no other."""
        self.cancel()
        self._run("ALTER SEQUENCE statements RESTART")
        self._run("INSERT INTO plan VALUES (?, ?)", number, code)

    def cancel(self) -> None:
        self._run("DELETE FROM plan")

    @property
    def changes(self) -> int:
        """How many there have been since the last order; to be asked once."""
        return (
            int(
                self._run(
                    "SELECT nextval('statements')" if self._run.name == "postgresql" else "SELECT NEXTVAL(statements)"
                )[0][0]
            )
            - 1
        )

    def close(self) -> None:
        self._run.close()


def _triggers(url: str) -> Iterator[str]:
    if url.startswith("postgres"):
        yield POSTGRES
        yield from (ON_STATEMENT.format(table) for table in TABLES)
        return
    for table in TABLES:
        yield from (ON_ROW.format(table=table, event=event) for event in ("INSERT", "UPDATE", "DELETE"))
