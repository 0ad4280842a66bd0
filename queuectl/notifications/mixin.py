"""`self.create_notification(…)` for the classes of an application that notify users."""

from __future__ import annotations

from queuectl.jobs.send_notification import NotificationData, SendNotificationJob


class SendsNotifications:
    """Inherit from it wherever users are notified."""

    def create_notification(self, data: NotificationData, sync: bool = False) -> None:
        """Queue a `SendNotificationJob`, or with *sync* run it here and now: then the row exists on return.

        With *sync* what goes wrong reaches the caller; a broadcast that fails leaves the row behind.
        """
        if sync:
            SendNotificationJob.dispatch_sync(data)
        else:
            SendNotificationJob.dispatch(data)
