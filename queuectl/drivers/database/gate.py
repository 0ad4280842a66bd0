"""A queue in front of SQLite's own lock, which is unfair: an advisory lock on a file beside the database."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import time

PATIENCE_WITH_A_DEAF_HOLDER = 0.05


class GateIsALink(OSError):
    """It is never ours: somebody wants us to make or to hold a file of theirs."""


class Gate:
    """Taken for each writing transaction. One a connection, opened by the process that uses it."""

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise GateIsALink(f"{path} is a symbolic link: remove it") from None
            raise
        self._missed_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._file >= 0

    def take(self, patience: float) -> None:
        """Wait for the lock, but not for ever: a holder that is frozen must not hang everybody else."""
        if self._try():
            return
        now = time.monotonic()
        if now - self._missed_at < 10:
            patience = min(patience, PATIENCE_WITH_A_DEAF_HOLDER)
        deadline = now + patience
        while time.monotonic() < deadline:
            time.sleep(random.uniform(0.0002, 0.002))  # noqa: S311  # jitter, not a secret
            if self._try():
                return
        self._missed_at = time.monotonic()

    def give(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Once: the number may soon be somebody else's file."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
