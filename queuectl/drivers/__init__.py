"""The drivers by name. A new one is a module, a line here (or an entry point) and a test class of four lines."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from queuectl.config.checking import did_you_mean
from queuectl.errors import ConfigurationError

if TYPE_CHECKING:
    from queuectl.clock import Clock
    from queuectl.config import Connection
    from queuectl.drivers.contract import Driver

DRIVERS = {
    "sync": "queuectl.drivers.sync:SyncDriver",
    "database": "queuectl.drivers.database:DatabaseDriver",
    "redis": "queuectl.drivers.redis:RedisDriver",
}
ENTRY_POINTS = "queuectl.drivers"


def build(connection: Connection, *, clock: Clock | None = None) -> Driver:
    """The driver of a connection; its module is imported now, its server reached on first use."""
    return driver_class(connection.driver).from_config(connection, clock=clock)


def driver_class(name: str) -> type[Driver]:
    """The class behind a driver's name; `ConfigurationError` for a name nobody registered."""
    if name in DRIVERS:
        module, _, attribute = DRIVERS[name].partition(":")
        return cast("type[Driver]", getattr(import_module(module), attribute))
    from importlib.metadata import entry_points  # 12 ms, for drivers of others only

    for point in entry_points(group=ENTRY_POINTS, name=name):
        return cast("type[Driver]", point.load())
    known = ", ".join(sorted({*DRIVERS, *(point.name for point in entry_points(group=ENTRY_POINTS))}))
    raise ConfigurationError(f"There is no driver {name!r}.{did_you_mean(name, DRIVERS)} Known: {known}.")
