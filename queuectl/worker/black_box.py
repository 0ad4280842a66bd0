"""What a child leaves behind, however it dies: the run it had begun, and where its interpreter was at the end.

A file in memory without a name, which both sides hold. The child writes into it and never waits for a reader; the
parent reads it once the child is dead.
"""

from __future__ import annotations

import os
import signal
import struct
import sys

WHERE_ARE_YOU = signal.SIGUSR1
"""Has the interpreter write down where it is, even from inside C code."""
_BEGUN = struct.Struct("=q")
LONGEST = 65_536
"""Bytes read of what the interpreter wrote: a thousand frames."""


class BlackBox:
    """That of one child."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def make(cls) -> BlackBox:
        """An empty one. Raises `OSError` where it cannot be had."""
        box = cls(_nameless_file())
        box.forget()
        return box

    @classmethod
    def inherited(cls, descriptor: int) -> BlackBox:
        """The child's end; what the child starts does not get it."""
        os.set_inheritable(descriptor, False)
        return cls(descriptor)

    def fileno(self) -> int:
        return self._descriptor

    # The child's side

    def begin(self, key: int) -> None:
        """The code of this run is about to be called. A microsecond: once for each job."""
        os.pwrite(self._descriptor, _BEGUN.pack(key), 0)

    # The parent's side

    @property
    def begun(self) -> int:
        """The key of the run that began last; 0 for none."""
        key: int = _BEGUN.unpack(os.pread(self._descriptor, _BEGUN.size, 0))[0]
        return key

    @property
    def trace(self) -> str:
        """What the interpreter wrote as it died or was asked where it is; empty if it had no time to."""
        return os.pread(self._descriptor, LONGEST, _BEGUN.size).decode(errors="replace").strip()

    def forget(self) -> None:
        """Back to nothing: the next word that the interpreter writes is the first one."""
        os.ftruncate(self._descriptor, 0)
        os.ftruncate(self._descriptor, _BEGUN.size)
        os.lseek(self._descriptor, _BEGUN.size, os.SEEK_SET)  # for the child as well: it is one open file

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _nameless_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("queuectl-child")  # needs no disk, which may be full or read-only
    from tempfile import TemporaryFile

    with TemporaryFile() as file:
        return os.dup(file.fileno())
