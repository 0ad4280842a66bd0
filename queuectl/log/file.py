"""The log file: one record a line, whatever is in it; shared by processes, moved by rotation, never in a job's way."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path

from queuectl.escaping import safe
from queuectl.log.records import FORMATS, Format, line

OURS = "queuectl"
"""The logger above all of ours."""
CAUTIOUS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
"""A pipe that nobody empties must not hold a worker up, and a link that a stranger planted must not be followed."""


def write_to(path: Path, level: str, *, form: str = "text", everything: bool = False) -> LogFile:
    """Let the records of this process go to *path*: ours, or with *everything* also the application's own, unless it
    has said where those go."""
    stop_writing()
    _wake()
    logger = logging.getLogger("" if everything and not logging.getLogger().handlers else OURS)
    log = LogFile(path, shown=FORMATS[form], level_before=logger.level)
    logger.addHandler(log)
    logger.setLevel(level.upper())
    return log


def stop_writing(log: LogFile | None = None) -> None:
    """Undo `write_to`; only if it is still this *log*, where one is given."""
    for logger in (logging.getLogger(), logging.getLogger(OURS)):
        for handler in list(logger.handlers):
            if isinstance(handler, LogFile) and log in (None, handler):
                logger.removeHandler(handler)
                logger.setLevel(handler.level_before)
                handler.close()


def _wake() -> None:
    """An application that sets logging up may have silenced, as `disable_existing_loggers`, what was there before."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.partition(".")[0] == OURS:
            logger.disabled = False


class LogFile(logging.Handler):
    """Appends each record in one write, so that several processes may share the file. What cannot be written is left
    out, with a word on stderr: nothing fails for it."""

    def __init__(self, path: Path, *, shown: Format = line, level_before: int = logging.NOTSET) -> None:
        """*shown*: how a record looks; *level_before*: what its logger's level was."""
        super().__init__()
        self.path = path
        self._shown = shown
        self.level_before = level_before
        self._file = -1
        self._torn = False
        """The last record was cut short, as by a full disk: the next one must not continue its line."""
        self._complained = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self._shown(record))
            self._complained = False
        except Exception as error:
            self._complain(error)

    def close(self) -> None:
        with self.lock or contextlib.nullcontext():
            self._forget()
        super().close()

    def _write(self, text: str) -> None:
        data = (b"\n" if self._torn else b"") + text.encode("utf-8", "backslashreplace") + b"\n"
        written = os.write(self._current(), data)
        self._torn = 0 < written < len(data)
        if written < len(data):
            raise OSError(None, "there is no room left")

    def _current(self) -> int:
        """The file that is at our path now: another one after each rotation."""
        if self._file >= 0 and not self._is_there():
            self._forget()
        if self._file < 0:
            self._file = open_private(self.path)
        return self._file

    def _is_there(self) -> bool:
        try:
            found, ours = self.path.stat(), os.fstat(self._file)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)

    def _forget(self) -> None:
        file, self._file, self._torn = self._file, -1, False
        if file >= 0:
            with contextlib.suppress(OSError):
                os.close(file)

    def _complain(self, error: Exception) -> None:
        """Once, until it works again."""
        if self._complained:
            return
        self._complained = True
        why = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        with contextlib.suppress(Exception):
            print(f"warning: The log {self.path} cannot be written: {safe(str(why))}.", file=sys.stderr, flush=True)


def open_private(path: Path) -> int:
    """A descriptor that appends to this file. What has to be made is made for our eyes only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return os.open(path, CAUTIOUS, 0o600)
    except OSError:
        if not path.is_symlink() or path.lstat().st_uid not in (0, os.geteuid()):
            raise
        return os.open(path, CAUTIOUS & ~os.O_NOFOLLOW, 0o600)  # as /dev/stdout, or an administrator's own
