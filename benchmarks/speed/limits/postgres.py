"""psycopg with a prepared statement; acknowledgements with synchronous_commit off, inserts with it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from speed.limits.limit import PAYLOAD, Limit

TABLE = "CREATE TABLE work (id bigserial PRIMARY KEY, payload text NOT NULL, taken timestamptz)"
INDEX = "CREATE INDEX ready ON work (id) WHERE taken IS NULL"
TURN = """
WITH gone AS (DELETE FROM work WHERE id = ANY(%s)),
     next AS (SELECT id FROM work WHERE taken IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE work SET taken = now() FROM next WHERE work.id = next.id RETURNING work.id, work.payload
"""
INSERT = "INSERT INTO work (payload) VALUES (%s)"
FILL = "INSERT INTO work (payload) SELECT %s FROM generate_series(1, %s)"


class PostgresLimit(Limit):
    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        for statement in (TABLE, INDEX):
            self._connection.execute(statement)

    def fill(self, count: int) -> None:
        self._connection.execute(FILL, (PAYLOAD, count))
        self._connection.execute("SET synchronous_commit = off")

    def turn(self, done: Sequence[Any], at_once: int) -> Sequence[Any]:
        return [row[0] for row in self._connection.execute(TURN, (list(done), at_once), prepare=True)]

    def insert(self) -> None:
        self._connection.execute(INSERT, (PAYLOAD,), prepare=True)

    def inserts(self, count: int) -> float:
        self._connection.execute("SET synchronous_commit = on")
        return super().inserts(count)

    def close(self) -> None:
        self._connection.close()
