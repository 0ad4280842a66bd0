"""The standard library's sqlite3: acknowledgements in WAL mode without a sync, inserts with one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from speed.limits.limit import PAYLOAD, Limit

TABLE = "CREATE TABLE work (id INTEGER PRIMARY KEY, payload TEXT NOT NULL, taken INTEGER)"
INDEX = "CREATE INDEX ready ON work (id) WHERE taken IS NULL"
RESERVE = (
    "UPDATE work SET taken = 1 WHERE id IN (SELECT id FROM work WHERE taken IS NULL ORDER BY id LIMIT ?)"
    " RETURNING id, payload"
)


class SqliteLimit(Limit):
    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for statement in ("PRAGMA journal_mode = WAL", TABLE, INDEX):
            self._connection.execute(statement)

    def fill(self, count: int) -> None:
        self._begin("NORMAL")
        self._connection.executemany("INSERT INTO work (payload) VALUES (?)", [(PAYLOAD,)] * count)
        self._connection.execute("COMMIT")

    def turn(self, done: Sequence[Any], at_once: int) -> Sequence[Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        if len(done) == 1:
            self._connection.execute("DELETE FROM work WHERE id = ?", (done[0],))
        elif done:
            self._connection.executemany("DELETE FROM work WHERE id = ?", [(one,) for one in done])
        rows = self._connection.execute(RESERVE, (at_once,)).fetchall()
        self._connection.execute("COMMIT")
        return [row[0] for row in rows]

    def insert(self) -> None:
        self._connection.execute("INSERT INTO work (payload) VALUES (?)", (PAYLOAD,))

    def inserts(self, count: int) -> float:
        self._connection.execute("PRAGMA synchronous = FULL")
        return super().inserts(count)

    def close(self) -> None:
        self._connection.close()

    def _begin(self, synchronous: str) -> None:
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._connection.execute("BEGIN IMMEDIATE")
