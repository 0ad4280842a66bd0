"""Notifications: the table that keeps them, and the services that tell users who are there right now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from queuectl.errors import ConfigurationError
from queuectl.jobs.runtime import NotificationService, bind_notification_service

if TYPE_CHECKING:
    from queuectl.config import Config, Connection
    from queuectl.notifications.table import NotificationTable

__all__ = ["NotificationService", "bind_notification_service", "build_notifications", "build_notifier"]


def build_notifications(connection: Connection, table: str = "notifications") -> NotificationTable:
    """The table of notifications on a database; `ConfigurationError` if the connection is to something else."""
    if connection.driver != "database":
        raise ConfigurationError(
            f"Notifications are rows in a database, but the connection {connection.name!r} is {connection.driver!r}.",
            hint="Set `connection` in [notifications] to a connection whose driver is database.",
        )
    from queuectl.notifications.table import NotificationTable

    return NotificationTable(connection, table)


def build_notifier(settings: Mapping[str, Any], config: Config) -> NotificationService | None:
    """The service that `[notifications] service` names; None for `none`. Only the configuration can name one."""
    from queuectl.notifications.services import build

    return build(settings, config)
