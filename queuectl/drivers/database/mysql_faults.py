"""What the errors of MySQL and MariaDB mean to us, by number."""

from __future__ import annotations

import ssl

import pymysql

from queuectl.drivers.database.session import Fault

NUMBERS = {
    Fault.BUSY: (
        *(1205, 1213),  # lock wait time-out, deadlock
        *(1020, 1062),  # somebody else changed or wrote it first
    ),
    Fault.LOST: (
        *(2002, 2003, 2005, 2006, 2012, 2013, 2014, 2055),  # the client's own
        *(1040, 1203, 1226),  # too many connections
        *(1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927, 4031),  # shut down, killed, interrupted
        *(1290, 1792, 1836),  # read-only: a replica
        *(1047, 1180, 1969, 3024),
    ),
    Fault.FULL: (1021, 1114),
    Fault.MISSING: (1051, 1054, 1146),
    Fault.DENIED: (1044, 1045, 1130, 1142, 1143, 1227, 1251, 1698, 2059, 2061),
    Fault.WRONG: (1049, 1115, 1273, 2026),
    Fault.DATA: (1048, 1153, 1264, 1265, 1267, 1292, 1300, 1301, 1366, 1406),
}
FAULTS = {number: fault for fault, numbers in NUMBERS.items() for number in numbers}


def explain(error: Exception) -> Fault | None:
    """None for what is not PyMySQL's, and for mistakes of ours."""
    if isinstance(error, (UnicodeEncodeError, OverflowError)):
        return Fault.DATA
    if isinstance(error, RuntimeError) and "cryptography" in str(error):
        return Fault.WRONG  # an authentication method that needs one more package
    if isinstance(error, (FileNotFoundError, ssl.SSLError)):
        return Fault.WRONG  # a certificate of ours that is not there, or is none
    if not isinstance(error, pymysql.Error):
        return Fault.LOST if isinstance(error, OSError) else None
    if "certificate verify failed" in str(error):
        return Fault.DENIED
    number = error.args[0] if error.args else 0
    return FAULTS.get(number, _kind(error))


def _kind(error: pymysql.Error) -> Fault | None:
    if isinstance(error, pymysql.DataError):
        return Fault.DATA
    return Fault.LOST if isinstance(error, pymysql.InterfaceError) else None
