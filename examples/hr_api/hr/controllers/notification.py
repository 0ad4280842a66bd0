"""Notifications: written by managers, listed, read, and streamed to whom they concern."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import func, literal, select

from hr.auth import Manager, SignedIn
from hr.database import Database, Record
from hr.fields import RowId
from hr.live import OVERLAP, events
from hr.tables import Seconds, notifications, now, users
from queuectl import SendsNotifications
from queuectl.jobs.send_notification import NotificationData

LastSeen = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, lt=2**63)]
After = Annotated[int | None, Query(ge=0, lt=2**63)]


class NotificationController(SendsNotifications):
    def __init__(self, database: Database) -> None:
        self.database = database
        self.router = APIRouter(tags=["notifications"])
        self.router.add_api_route("/api/notifications", self.index, methods=["GET"])
        self.router.add_api_route("/api/notifications", self.store, methods=["POST"], status_code=202)
        self.router.add_api_route("/api/notifications/{notification_id}/read", self.read, methods=["POST"])
        self.router.add_api_route(
            "/api/notifications/stream", self.stream, methods=["GET"], response_class=EventSourceResponse
        )

    def index(self, user: SignedIn) -> Record:
        """The newest fifty, and how many of all are unread."""
        mine = notifications.c.user_id == user.id
        unread = select(func.count().label("count")).where(mine, notifications.c.read_at.is_(None))
        return {
            "unread": self.database.all(unread)[0]["count"],
            "notifications": self.database.all(
                select(notifications).where(mine).order_by(notifications.c.id.desc()).limit(50)
            ),
        }

    def store(self, notification: NotificationData, manager: Manager) -> Record:
        """The row comes with the job: what is answered is the job's id."""
        if self.database.first(select(users.c.id).where(users.c.id == notification["user_id"])) is None:
            raise HTTPException(404, "There is no such user.")
        return {"job_uuid": self.create_notification(notification)}

    def read(self, notification_id: RowId, user: SignedIn) -> Record:
        """Note that it was read, the first time."""
        mine = (notifications.c.id == notification_id, notifications.c.user_id == user.id)
        first_read = func.coalesce(notifications.c.read_at, literal(now(), Seconds()))
        read = self.database.update(notifications, *mine, read_at=first_read)
        if read is None:
            raise HTTPException(404, "There is no such notification.")
        return read

    async def stream(
        self, user: SignedIn, after: After = None, last_event_id: LastSeen = None
    ) -> AsyncIterator[ServerSentEvent]:
        """From behind the row that the browser saw last; a first time from behind *after*, or from now on."""
        start = next((seen for seen in (last_event_id, after) if seen is not None), None)
        if start is None:
            start = await run_in_threadpool(self._newest, user.id)
        async for event in events(partial(self._newer, user.id), start):
            yield event

    def _newest(self, user_id: int) -> int:
        newest = select(func.max(notifications.c.id).label("id")).where(notifications.c.user_id == user_id)
        return self.database.all(newest)[0]["id"] or 0

    def _newer(self, user_id: int, after: int) -> list[Record]:
        return self.database.all(
            select(notifications)
            .where(notifications.c.user_id == user_id, notifications.c.id > after)
            .order_by(notifications.c.id)
            .limit(2 * OVERLAP)
        )
