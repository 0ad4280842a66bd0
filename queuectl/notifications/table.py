"""The table of notifications: one row a job, on whichever database is configured."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from queuectl.clock import SystemClock
from queuectl.drivers.database.address import parse
from queuectl.drivers.database.driver import engine_for
from queuectl.drivers.database.grammar import Grammar, quoted
from queuectl.drivers.database.sessions import Sessions

if TYPE_CHECKING:
    from queuectl.clock import Clock
    from queuectl.config import Connection
    from queuectl.drivers.database.session import Session

COLUMNS = "id, job_uuid, user_id, title, message, type, priorite, data, read_at, broadcast_at, created_at"
INSERT = (
    "INSERT INTO {table} (job_uuid, user_id, title, message, type, priorite, data, created_at)"
    " VALUES (:job_uuid, :user_id, :title, :message, :type, :priorite, :data, :now) {or_not}"
)
OR_NOT = {"mysql": "ON DUPLICATE KEY UPDATE job_uuid = job_uuid"}
"""What makes an INSERT do nothing where the job has its row; unlike IGNORE it hides no other mistake."""
BY_JOB = "SELECT {columns} FROM {table} WHERE job_uuid = :job_uuid"
OF_USER = "SELECT {columns} FROM {table} WHERE user_id = :user_id AND id > :after_id ORDER BY id LIMIT :limit"
MARK_BROADCAST = "UPDATE {table} SET broadcast_at = :now WHERE job_uuid = :job_uuid"
MARK_READ = "UPDATE {table} SET read_at = COALESCE(read_at, :now) WHERE id = :id AND user_id = :user_id"


class NotificationTable:
    """Rows as dictionaries of the table's columns; times are ISO-8601 in UTC, or None. May be shared by threads."""

    def __init__(self, connection: Connection, table: str = "notifications", *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        address = parse(connection.url)
        self._style = Grammar(address.dialect, bound=False).styled
        self._words = {
            "columns": COLUMNS,
            "table": quoted(address.dialect, table),
            "or_not": OR_NOT.get(address.dialect.name, "ON CONFLICT (job_uuid) DO NOTHING"),
        }
        engine = engine_for(connection, address, None, timeout=connection.timeout)
        self._sessions = Sessions(engine, place=address.place, secret=address.password, patience=connection.timeout)

    def create(self, notification: Mapping[str, Any], *, job_uuid: str) -> dict[str, Any]:
        """The row of this job, made now or by an earlier attempt."""
        data = notification.get("data")
        values = {
            "job_uuid": job_uuid,
            "user_id": notification["user_id"],
            "title": notification["title"],
            "message": notification["message"],
            "type": notification.get("type", "info"),
            "priorite": notification.get("priorite", "normale"),
            "data": None if data is None else json.dumps(data, ensure_ascii=False),
            "now": self._clock.now(),
        }

        def work(session: Session) -> dict[str, Any]:
            with session.transaction():
                session.execute(self._sql(INSERT), values)
                [row] = session.execute(self._sql(BY_JOB), {"job_uuid": job_uuid}).rows
                return _as_dict(row)

        return self._sessions.call(work)

    def mark_broadcast(self, job_uuid: str) -> None:
        """Note that word of this notification has gone out."""
        self._change(MARK_BROADCAST, {"job_uuid": job_uuid, "now": self._clock.now()})

    def list(self, user_id: int, *, after_id: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """What a user was notified of, oldest first, from behind a row on."""
        values = {"user_id": user_id, "after_id": after_id, "limit": limit}
        rows = self._sessions.call(lambda session: session.execute(self._sql(OF_USER), values).rows)
        return [_as_dict(row) for row in rows]

    def mark_read(self, id: int, user_id: int) -> bool:  # noqa: A002 - the column's name
        """Note when the user read it, the first time; False if this user has no such notification."""
        return self._change(MARK_READ, {"id": id, "user_id": user_id, "now": self._clock.now()}) > 0

    def close(self) -> None:
        """Close this process's connections."""
        self._sessions.close()

    def _change(self, text: str, values: Mapping[str, Any]) -> int:
        return self._sessions.call(lambda session: session.execute(self._sql(text), values).count)

    def _sql(self, text: str) -> str:
        return self._style(text.format_map(self._words))


def _as_dict(row: tuple[Any, ...]) -> dict[str, Any]:
    found = dict(zip(COLUMNS.split(", "), row, strict=True))
    found["data"] = json.loads(found["data"]) if isinstance(found["data"], (str, bytes)) else found["data"]
    for name in ("read_at", "broadcast_at", "created_at"):
        found[name] = _iso(found[name])
    return found


def _iso(moment: float | None) -> str | None:
    """Seconds since the epoch, as they are stored, in words that every program reads."""
    if moment is None:
        return None
    at = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
