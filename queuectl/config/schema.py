"""Which keys a configuration may have, and what each one's value must look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from queuectl.config import Connection

BUILT_IN_DRIVERS = ("sync", "database", "redis")
QUEUE_NAME = re.compile(r"[A-Za-z0-9._:{}@-]{1,191}")
_CONNECTION_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ATTRIBUTE = re.compile(r"[\w.]+:[\w.]+")
_RATE = re.compile(r"\s*0*[1-9]\d{0,8}\s*/\s*(\d+(\.\d+)?\s*)?(ms|s|m|h|d|w)?\s*")
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value must be: a sentence for people and the test itself."""

    expected: str
    fits: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _at_least(least: float) -> Kind:
    return Kind(f"a number of seconds, at least {least:g}", lambda value: _is_number(value) and least <= value < 1e9)


TEXT = Kind("text in quotes", lambda value: isinstance(value, str))
NAME = Kind("a name in quotes", lambda value: isinstance(value, str) and bool(value.strip()))
QUEUE = Kind(
    "a queue name: letters, digits and . _ : { } @ - only",
    lambda value: isinstance(value, str) and QUEUE_NAME.fullmatch(value) is not None,
)
BOOLEAN = Kind("true or false", lambda value: isinstance(value, bool))
TABLE_NAME = Kind(
    "a table name: letters, digits and _ only",
    lambda value: isinstance(value, str) and _TABLE_NAME.fullmatch(value) is not None,
)
BYTES = Kind(
    "a number of bytes, at least 1",
    lambda value: _is_whole(value) and value >= 1,
)
MODULES = Kind(
    'a list of module names, as in ["app.jobs"]',
    lambda value: isinstance(value, list) and all(isinstance(name, str) and name for name in value),
)
SERVICES = ("none", "log", "redis", "memory")
SERVICE = Kind(
    f"{', '.join(SERVICES)}, or your own as 'module:attribute'",
    lambda value: isinstance(value, str) and (value in SERVICES or _ATTRIBUTE.fullmatch(value) is not None),
)
MIDDLEWARE = Kind(
    'a list of callables, as in ["app.middleware:traced"]',
    lambda value: isinstance(value, list) and all(isinstance(one, str) and _ATTRIBUTE.fullmatch(one) for one in value),
)
RATE = Kind(
    "how many jobs in how long, as in '100/m' or '10/30s'",
    lambda value: isinstance(value, str) and _RATE.fullmatch(value) is not None,
)
ANYTHING = Kind("anything", lambda value: True)

CONNECTION: Mapping[str, Kind] = {
    "driver": NAME,
    "url": TEXT,
    "queue": QUEUE,
    "retry_after": _at_least(2),
    "foreign_retry_after": _at_least(2),
    "prefix": TEXT,
    "table": TABLE_NAME,
    "failed_table": TABLE_NAME,
    "max_payload": BYTES,
    "unknown_job_grace": _at_least(0),
    "timeout": _at_least(0.1),
    "outbox": TEXT,
    "push_timeout": _at_least(0.01),
}
FAILED: Mapping[str, Kind] = {"connection": TEXT}
DISK: Mapping[str, Kind] = {
    "root": NAME,
    "mode": Kind("file permissions, as in 0o644", lambda value: _is_whole(value) and 0 < value <= 0o777),
    "max_bytes": BYTES,
}
NOTIFICATIONS: Mapping[str, Kind] = {
    "connection": NAME,
    "table": TABLE_NAME,
    "service": SERVICE,
    "url": TEXT,
    "channel": NAME,
}
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
LOG: Mapping[str, Kind] = {
    "file": TEXT,
    "format": Kind("text or json", lambda value: value in ("text", "json")),
    "level": Kind(f"one of {', '.join(LOG_LEVELS)}", lambda value: value in LOG_LEVELS),
}
ANY_NAME = "*"
"""The key of a table that may have any."""
LIMITS: Mapping[str, Kind] = {ANY_NAME: RATE}
TOP: Mapping[str, Kind | Mapping[str, Kind]] = {
    "default": NAME,
    "jobs": MODULES,
    "middleware": MIDDLEWARE,
    "connections": CONNECTION,
    "failed": FAILED,
    "disks": DISK,
    "notifications": NOTIFICATIONS,
    "log": LOG,
    "limits": LIMITS,
}
NAMED = ("connections", "disks")
"""Tables of tables: `[connections.NAME]`."""


def is_connection_name(name: str) -> bool:
    """Can it stand before the colon of `connection:queue` and in a dotted key?"""
    return _CONNECTION_NAME.fullmatch(name) is not None


CONNECTION_DEFAULTS: Mapping[str, Any] = {
    field.name: field.default
    for field in fields(Connection)
    if field.name in CONNECTION and field.default is not MISSING
}
DEFAULTS: Mapping[str, Any] = {
    "default": "sync",
    "jobs": [],
    "middleware": [],
    "connections": {
        "sync": {"driver": "sync"},
        "database": {"driver": "database", "url": "sqlite:///storage/queue.sqlite"},
        "redis": {"driver": "redis", "url": "redis://127.0.0.1:6379/0"},
    },
    "failed": {"connection": ""},
    "disks": {"public": {"root": "storage/app/public"}},
    "notifications": {"connection": "database", "table": "notifications", "service": "none"},
    "log": {"file": "", "format": "text", "level": "info"},
}
ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "QUEUE_CONNECTION": ("default",),
    "QUEUE_DATABASE_URL": ("connections", "database", "url"),
    "REDIS_URL": ("connections", "redis", "url"),
    "QUEUE_NOTIFICATION_SERVICE": ("notifications", "service"),
}
