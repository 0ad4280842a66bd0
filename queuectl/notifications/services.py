"""The notification services in the box, and how one of the application's own is found."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from queuectl.config.checking import did_you_mean
from queuectl.config.schema import SERVICES
from queuectl.errors import ConfigurationError

if TYPE_CHECKING:
    from queuectl.config import Config
    from queuectl.jobs.runtime import NotificationService

logger = logging.getLogger("queuectl.notifications")
CHANNEL = "notifications."


class LogNotifier:
    """Writes a line in the log for each notification: who gets it, not what it says."""

    def __init__(self) -> None:
        if not logger.hasHandlers():  # nobody has set logging up, and these lines were asked for
            logger.addHandler(logging.StreamHandler())
            logger.setLevel(logging.INFO)

    def broadcast(self, notification: dict[str, Any]) -> None:
        logger.info("Notification %s for user %r.", notification["id"], notification["user_id"])


class MemoryNotifier:
    """Keeps what it broadcast, for tests in the same process."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def broadcast(self, notification: dict[str, Any]) -> None:
        self.sent.append(notification)


def build(settings: Mapping[str, Any], config: Config) -> NotificationService | None:
    """The service of these `[notifications]` settings."""
    service = settings.get("service", "none")
    if service == "none":
        return None
    if service == "log":
        return LogNotifier()
    if service == "memory":
        return MemoryNotifier()
    return _on_redis(settings, config) if service == "redis" else _imported(service)


def _on_redis(settings: Mapping[str, Any], config: Config) -> NotificationService:
    from queuectl.notifications.redis import RedisNotifier

    connection = config.connections.get("redis")
    url = settings.get("url") or (connection.url if connection else "")
    if not url:
        raise ConfigurationError(
            "The notification service is redis, but nothing says where that is.",
            hint="Set `url` in [notifications], or `url` in [connections.redis].",
        )
    prefix = connection.prefix if connection else ""
    return RedisNotifier(url, channel=prefix + settings.get("channel", CHANNEL))


def _imported(service: str) -> NotificationService:
    """What `module:attribute` leads to: a service, a class of one, or a function that makes one."""
    module, colon, attribute = service.partition(":")
    if not colon or not module or not attribute:
        raise ConfigurationError(
            f"[notifications] service = {service!r} is no service.{did_you_mean(service, SERVICES)}",
            hint=f"It is {', '.join(SERVICES)}, or your own as 'module:attribute'.",
        )
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"[notifications] service = {service!r} cannot be found: {error}.") from error
    is_ready = hasattr(found, "broadcast") and not inspect.isclass(found)
    made = found() if callable(found) and not is_ready else found
    if not callable(getattr(made, "broadcast", None)):
        raise ConfigurationError(f"[notifications] service = {service!r} has no method `broadcast(notification)`.")
    return cast("NotificationService", made)


def as_message(notification: Mapping[str, Any]) -> bytes:
    """A notification as subscribers get it: one JSON object, ASCII."""
    return json.dumps(notification, separators=(",", ":"), allow_nan=False).encode()
