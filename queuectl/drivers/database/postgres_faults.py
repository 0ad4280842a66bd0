"""What PostgreSQL's errors mean to us, by SQLSTATE and, where a connection was refused, by what was said."""

from __future__ import annotations

import psycopg

from queuectl.drivers.database.session import Fault

STATES = {
    "08": Fault.LOST,
    "0A000": Fault.LOST,  # a cached plan that a migration has outdated
    "22": Fault.DATA,
    "23505": Fault.BUSY,  # two wrote one key at once: the second looks again
    "23": Fault.DATA,
    "25006": Fault.LOST,  # read-only: this is a standby now
    "25P03": Fault.LOST,
    "28": Fault.DENIED,
    "3D000": Fault.WRONG,
    "3F000": Fault.MISSING,
    "40": Fault.BUSY,
    "42501": Fault.DENIED,
    "42P01": Fault.MISSING,
    "42703": Fault.MISSING,
    "53100": Fault.FULL,
    "53": Fault.LOST,
    "54": Fault.DATA,
    "55P03": Fault.BUSY,
    "57014": Fault.LOST,
    "57": Fault.LOST,
    "58": Fault.LOST,
}
SAID = {
    "password authentication failed": Fault.DENIED,
    "no password supplied": Fault.DENIED,
    "no pg_hba.conf entry": Fault.DENIED,
    "authentication failed": Fault.DENIED,
    "role ": Fault.DENIED,
    "permission denied": Fault.DENIED,
    "certificate verify failed": Fault.DENIED,
    "does not match host name": Fault.DENIED,
    "SSL was required": Fault.WRONG,
    "certificate file": Fault.WRONG,
    "invalid connection option": Fault.WRONG,
    "does not exist": Fault.WRONG,
}


def explain(error: Exception) -> Fault | None:
    """None for what is not psycopg's, and for mistakes of ours."""
    if isinstance(error, (UnicodeEncodeError, OverflowError)):
        return Fault.DATA
    if not isinstance(error, psycopg.Error):
        return Fault.LOST if isinstance(error, OSError) else None
    if error.sqlstate:
        return STATES.get(error.sqlstate, STATES.get(error.sqlstate[:2]))
    if isinstance(error, psycopg.DataError):
        return Fault.DATA
    said = str(error)
    return next((fault for words, fault in SAID.items() if words in said), _kind(error))


def _kind(error: psycopg.Error) -> Fault | None:
    return Fault.LOST if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) else None
