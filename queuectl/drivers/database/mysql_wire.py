"""Below PyMySQL's cursors: a question that is asked again and again, straight to the socket; and literals."""

from __future__ import annotations

from typing import Any, cast

import pymysql
from pymysql.err import raise_mysql_exception

COM_QUERY = b"\x03"
ERROR = 0xFF
HEAD, COUNT, MARK = 4, 5, 9
"""Bytes: before each packet its length and number; the packet that counts the columns; the one behind columns and
behind rows."""
AT_ONCE = 4096


class Question:
    """Asks for one number. PyMySQL reads the answer packet by packet and column by column, in twice the time, which an
    idle worker feels."""

    def __init__(self, connection: pymysql.Connection[Any], sql: str) -> None:
        """*connection* must not be in the middle of an answer whenever this is called."""
        asked = COM_QUERY + sql.encode()
        self._sent = len(asked).to_bytes(3, "little") + b"\0" + asked
        self._socket = cast("Any", connection)._sock

    def __call__(self) -> float:
        self._socket.sendall(self._sent)
        received = b""
        while (found := _number_in(received)) is None:
            received += self._more()
        return found

    def _more(self) -> bytes:
        found: bytes = self._socket.recv(AT_ONCE)
        if not found:
            raise pymysql.OperationalError(2013, "Lost connection to MySQL server during query")
        return found


def _number_in(received: bytes) -> float | None:
    """The value in an answer (a count of columns, a column, a mark, a row, a mark); None until all of it is there."""
    if len(received) < HEAD + MARK:
        return None
    if received[HEAD] == ERROR:
        raise_mysql_exception(received[HEAD:])
    row = COUNT + HEAD + _length(received, COUNT) + MARK
    value = row + HEAD + 1
    if len(received) < value or len(received) < row + HEAD + _length(received, row) + MARK:
        return None
    return float(received[value : value + received[value - 1]])


def _length(received: bytes, packet: int) -> int:
    return int.from_bytes(received[packet : packet + 3], "little")


def quoted(text: str) -> str:
    """As a literal. PyMySQL looks for characters that need no escape, one by one: ten times as long. The session's
    `sql_mode` has backslashes count."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
