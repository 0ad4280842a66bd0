"""What bare clients reach: the least statements of a reserve and a settle, and of a durable insert."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from speed.limits.limit import Limit


def _late(name: str, kind: str) -> Callable[[str], Limit]:
    """A limit whose client library is imported on first use."""

    def build(url: str) -> Limit:
        found: Limit = getattr(import_module(f"speed.limits.{name}"), kind)(url)
        return found

    return build


LIMITS: dict[str, Callable[[str], Limit]] = {
    "sqlite": _late("sqlite", "SqliteLimit"),
    "postgres": _late("postgres", "PostgresLimit"),
    "mariadb": _late("mariadb", "MariaLimit"),
    "redis": _late("redis", "RedisLimit"),
}
