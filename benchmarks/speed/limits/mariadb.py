"""PyMySQL; as there is no UPDATE with RETURNING, one packet of several statements for each turn."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pymysql
from pymysql.constants import CLIENT

from speed.limits.limit import PAYLOAD, Limit

TABLE = (
    "CREATE TABLE work (id BIGINT AUTO_INCREMENT PRIMARY KEY, payload LONGTEXT NOT NULL, taken BIGINT,"
    " KEY taken (taken, id))"
)
TAKE = (
    "UPDATE (SELECT id FROM work WHERE taken IS NULL ORDER BY id LIMIT {at_once} FOR UPDATE SKIP LOCKED) AS next"
    " STRAIGHT_JOIN work FORCE INDEX (PRIMARY) ON work.id = next.id SET taken = {token}"
)
TAKEN = "SELECT id, payload FROM work WHERE taken = {token}"
ROWS = 500


class MariaLimit(Limit):
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = pymysql.connect(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=parts.username or "root",
            database=parts.path.strip("/"),
            autocommit=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )
        self._cursor = self._connection.cursor()
        self._cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        self._cursor.execute(TABLE)
        self._tokens = itertools.count(1)

    def fill(self, count: int) -> None:
        for first in range(0, count, ROWS):
            rows = [(PAYLOAD,)] * min(ROWS, count - first)
            self._cursor.executemany("INSERT INTO work (payload) VALUES (%s)", rows)

    def turn(self, done: Sequence[Any], at_once: int) -> Sequence[Any]:
        removal = f"DELETE FROM work WHERE id IN ({','.join(map(str, done))});" if done else ""  # noqa: S608  # ids
        token = next(self._tokens)
        take, taken = TAKE.format(at_once=at_once, token=token), TAKEN.format(token=token)
        self._cursor.execute(f"BEGIN;{removal}{take};{taken};COMMIT")
        found: list[int] = []
        more: bool | None = True
        while more:
            found += [row[0] for row in self._cursor.fetchall()]
            more = self._cursor.nextset()
        return found

    def insert(self) -> None:
        self._cursor.execute("INSERT INTO work (payload) VALUES (%s)", (PAYLOAD,))

    def close(self) -> None:
        self._connection.close()
