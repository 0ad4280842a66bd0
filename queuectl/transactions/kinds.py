"""Which client library an object is of, told by its name: none of them is imported to find out."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from queuectl.errors import UsageError
from queuectl.transactions.caller import Caller

KINDS = {
    ("sqlite3", "Connection"): "dbapi:SqliteCaller",
    ("psycopg", "Connection"): "dbapi:PsycopgCaller",
    ("pymysql", "Connection"): "dbapi:PymysqlCaller",
    ("sqlalchemy", "Connection"): "alchemy:ConnectionCaller",
    ("sqlalchemy", "Session"): "alchemy:SessionCaller",
    ("sqlalchemy", "scoped_session"): "alchemy:SessionCaller",
    ("django", "BaseDatabaseWrapper"): "django:DjangoCaller",
    ("django", "ConnectionProxy"): "django:DjangoCaller",
}
ASYNC = {
    ("sqlalchemy", "AsyncConnection"): "await connection.run_sync(lambda plain: SomeJob.using(plain).dispatch(…))",
    ("sqlalchemy", "AsyncSession"): "await session.run_sync(lambda plain: SomeJob.using(plain).dispatch(…))",
    ("psycopg", "AsyncConnection"): "A psycopg.Connection is meant.",
}
TAKES = "a connection of sqlite3, psycopg, PyMySQL, SQLAlchemy or Django, or a session of SQLAlchemy"


def recognise(transaction: Any) -> Caller:
    """The transaction of this connection or session; `UsageError` if it is not one of those that are known."""
    if isinstance(transaction, Caller):
        return transaction
    for kind in type(transaction).__mro__:
        found = kind.__module__.partition(".")[0], kind.__name__
        if found in KINDS:
            module, _, name = KINDS[found].partition(":")
            caller: Caller = getattr(import_module(f"queuectl.transactions.{module}"), name)(transaction)
            return caller
        if found in ASYNC:
            raise UsageError(f"{kind.__name__} of {found[0]} cannot be waited for here.", hint=ASYNC[found])
    given = type(transaction)
    raise UsageError(f"A transaction is {TAKES}, not {given.__module__}.{given.__qualname__}.")
