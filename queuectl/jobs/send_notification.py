"""The built-in job that notifies a user: a row in the table first, then word to whoever is listening."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Required

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from queuectl.jobs.definition import Job
from queuectl.jobs.masking import mask
from queuectl.jobs.runtime import current, notification_service

logger = logging.getLogger("queuectl.notifications")
NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps every other character."""
Word = Annotated[str, Field(min_length=1, max_length=50, pattern=NO_NUL)]


@with_config(ConfigDict(extra="forbid"))
class NotificationData(TypedDict, total=False):
    """What a notification says, and to whom."""

    user_id: Required[Annotated[int, Field(ge=0, lt=2**63)]]
    title: Required[Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]]
    message: Required[Annotated[str, Field(max_length=65_535, pattern=NO_NUL)]]
    type: Word
    """`info` if not given."""
    priorite: Word
    """`normale` if not given."""
    data: dict[str, Any]
    """Anything else that the one who shows it needs."""


class SendNotificationJob(Job):
    """Create the notification's row, then broadcast it through the configured service.

    The row belongs to this job: an attempt that finds it does not write another. A broadcast that fails is logged and
    raised, so that the job is tried again; one that succeeded is not repeated, except where the worker died, or the
    database, between the broadcast and the note of it.
    """

    notification: NotificationData

    tries = 3
    backoff = (10, 30, 60)

    def handle(self) -> None:
        row = self._row()
        if row["broadcast_at"] is None:
            self._broadcast(row)

    def failed(self, error: BaseException) -> None:
        self._log("A notification has failed for good", error)

    def _row(self) -> Mapping[str, Any]:
        try:
            return current().notifications().create(dict(self.notification), job_uuid=self.uuid)
        except Exception as error:
            self._log("A notification could not be stored", error)
            raise

    def _broadcast(self, row: Mapping[str, Any]) -> None:
        try:
            service = notification_service()
            if service is None:
                logger.debug("Notification %s is not broadcast: there is no service.", row["id"])
                return
            service.broadcast(dict(row))
            current().notifications().mark_broadcast(self.uuid)
        except Exception as error:
            self._log(f"Notification {row['id']} could not be broadcast", error)
            raise

    def _log(self, what: str, error: BaseException) -> None:
        """What happened, to whom, and why; never what it says, which is between its writer and its reader."""
        why = mask(f"{type(error).__name__}: {error}")[:1000]
        logger.error("%s (user %r, job %s): %r", what, self.notification["user_id"], self.uuid, why)
