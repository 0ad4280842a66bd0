"""What the errors of SQLite, and of the files around it, mean to us."""

from __future__ import annotations

import sqlite3

from queuectl.drivers.database.files import FileReplaced
from queuectl.drivers.database.gate import GateIsALink
from queuectl.drivers.database.session import Fault

FAULTS = {
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_PROTOCOL: Fault.BUSY,
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_IOERR: Fault.LOST,
    sqlite3.SQLITE_NOMEM: Fault.LOST,
    sqlite3.SQLITE_INTERRUPT: Fault.LOST,
    sqlite3.SQLITE_TOOBIG: Fault.DATA,
    sqlite3.SQLITE_CONSTRAINT: Fault.DATA,
    sqlite3.SQLITE_MISMATCH: Fault.DATA,
    sqlite3.SQLITE_RANGE: Fault.DATA,
    sqlite3.SQLITE_READONLY: Fault.DENIED,
    sqlite3.SQLITE_PERM: Fault.DENIED,
    sqlite3.SQLITE_AUTH: Fault.DENIED,
    sqlite3.SQLITE_CANTOPEN: Fault.WRONG,
    sqlite3.SQLITE_CORRUPT: Fault.WRONG,
    sqlite3.SQLITE_NOTADB: Fault.WRONG,
}
OTHER_FAULTS: dict[type[Exception], Fault] = {
    UnicodeEncodeError: Fault.DATA,
    OverflowError: Fault.DATA,
    PermissionError: Fault.DENIED,
    FileReplaced: Fault.WRONG,
    GateIsALink: Fault.WRONG,
    OSError: Fault.LOST,
}


def explain(error: Exception) -> Fault | None:
    """None for what is neither the module's nor a file's, and for mistakes of ours."""
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    return next((fault for kind, fault in OTHER_FAULTS.items() if isinstance(error, kind)), None)


def _of_sqlite(error: sqlite3.Error) -> Fault | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # the module's own: a value it cannot bind, or a connection that close() has closed
        return Fault.LOST if "closed" in str(error) else Fault.DATA
    if code == sqlite3.SQLITE_ERROR:
        return Fault.MISSING if str(error).startswith(("no such", "table ")) else None
    return FAULTS.get(code & 0xFF)
