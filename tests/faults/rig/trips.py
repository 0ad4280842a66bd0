"""A process that dies on its way: between two statements, packets or pipelines of one call of a driver."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
import pymysql.cursors

from queuectl.drivers.database.postgres_wire import Prepared
from queuectl.drivers.redis.servers import OneServer
from tests.faults.rig.faulty import Plan, Strike


class Trips:
    """Made before any connection is: from then on the trips of this process can be counted."""

    def __init__(self) -> None:
        self.counted = False
        """Set it to let them be calls named `trip`, which `FAULT` may name."""
        self._watch(psycopg.Cursor, "execute")
        self._watch(Prepared, "__call__")
        self._watch(pymysql.cursors.Cursor, "execute")
        self._watch(OneServer, "run")
        self._watch_sqlite()

    def _watch(self, owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._trip()
            return real(*args, **kwargs)

        setattr(owner, name, watched)

    def _watch_sqlite(self) -> None:
        connect = sqlite3.connect

        def watched(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection = connect(*args, **kwargs)
            connection.set_trace_callback(lambda statement: self._trip())
            return connection

        sqlite3.connect = watched

    def _trip(self) -> None:
        plan = Plan.of_process()
        if self.counted and plan is not None and plan.strikes("trip"):
            plan.go_wrong(lambda: None, lambda mode: Strike("trip", "", mode, [], {}, {}).write(plan.log))
