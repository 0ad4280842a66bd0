"""`self.create_notification(…)` for the classes of an application that notify users."""

from __future__ import annotations

from typing import ClassVar

from queuectl.jobs.send_notification import NotificationData, SendNotificationJob

URGENT = frozenset({"haute", "urgente", "high", "urgent"})
"""Values of `priorite` that go ahead of the others."""


class SendsNotifications:
    """Inherit from it wherever users are notified."""

    notification_queue: ClassVar[str] = "notifications"
    urgent_notification_queue: ClassVar[str] = "notifications-high"
    """For `priorite` haute, urgente, high or urgent: workers name this queue first."""

    def create_notification(self, data: NotificationData, sync: bool = False) -> str:
        """Queue a `SendNotificationJob`, or with *sync* run it here and now: then the row exists on return.

        Returns the job's uuid, which the row has as `job_uuid`. Data that does not fit raises `InvalidArguments` either
        way. What keeps the job from being queued reaches the caller (`DriverUnavailable` and its like; with an `outbox`
        only if that fails as well), and with *sync* what goes wrong in the job; a broadcast that fails leaves the row.
        """
        urgent = data.get("priorite") in URGENT
        job = SendNotificationJob.on_queue(self.urgent_notification_queue if urgent else self.notification_queue)
        return job.dispatch_sync(data) if sync else job.dispatch(data)
