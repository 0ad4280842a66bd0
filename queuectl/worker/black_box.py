"""What a child leaves behind, however it dies: the runs it had begun, and where its interpreter was at the end.

A file in memory without a name, which both sides hold. The child writes into it and never waits for a reader; the
parent reads it once the child is dead. The parent writes there which runs are to end: a job that is busy hears of
nothing else.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import sys
from collections import deque

WHERE_ARE_YOU = signal.SIGUSR1
"""Has the interpreter write down where it is, even from inside C code."""
_KEY = struct.Struct("=q")
JOINED = 1 << 62
"""Added to the key of a run that may have completed itself."""
LONGEST = 65_536
"""Bytes read of what the interpreter wrote: a thousand frames."""


class BlackBox:
    """The parent's end: for each job that runs at once a place and a wish, behind them what the interpreter writes."""

    def __init__(self, descriptor: int, places: int) -> None:
        self._descriptor = descriptor
        self._wishes_at = places * _KEY.size
        self._trace_at = 2 * self._wishes_at
        self._wishes: deque[int] = deque(maxlen=places)

    @classmethod
    def make(cls, places: int = 1) -> BlackBox:
        """An empty one. Raises `OSError` where it cannot be had."""
        box = cls(_nameless_file(), places)
        box.forget()
        return box

    def fileno(self) -> int:
        return self._descriptor

    @property
    def begun(self) -> frozenset[int]:
        """The keys of the runs that began last in each place."""
        return frozenset(key - JOINED if key > JOINED else key for key in self._keys()) - {0}

    @property
    def joined(self) -> frozenset[int]:
        """Those of them that may have completed themselves, in a transaction of their own."""
        return frozenset(key - JOINED for key in self._keys() if key > JOINED)

    def _keys(self) -> list[int]:
        return [key for (key,) in _KEY.iter_unpack(os.pread(self._descriptor, self._wishes_at, 0))]

    def cancel(self, key: int) -> None:
        """This run is to end."""
        self._wishes.append(key)
        os.pwrite(self._descriptor, b"".join(map(_KEY.pack, self._wishes)), self._wishes_at)

    @property
    def trace(self) -> str:
        """What the interpreter wrote as it died or was asked where it is; empty if it had no time to."""
        return os.pread(self._descriptor, LONGEST, self._trace_at).decode(errors="replace").strip()

    def forget(self) -> None:
        """No trace: the next word that the interpreter writes is the first one."""
        os.ftruncate(self._descriptor, self._trace_at)
        os.lseek(self._descriptor, self._trace_at, os.SEEK_SET)  # for the child as well: it is one open file

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Writer:
    """The child's end of one. What the child starts does not get it."""

    def __init__(self, descriptor: int, places: int = 1) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._wishes_at = places * _KEY.size
        self._places = mmap.mmap(descriptor, 2 * self._wishes_at)

    def fileno(self) -> int:
        """Where the interpreter writes."""
        return self._descriptor

    def begin(self, key: int, place: int = 0, *, joined: bool = False) -> None:
        """The code of this run is about to be called, or (*joined*) a transaction is about to complete it. Written to
        memory: once for each job, without a system call."""
        _KEY.pack_into(self._places, place * _KEY.size, key + JOINED if joined else key)

    def is_cancelled(self, key: int) -> bool:
        """Whether the parent wants this run to end. Without a system call as well: a job may ask often."""
        return any(wish == key for (wish,) in _KEY.iter_unpack(self._places[self._wishes_at :]))


def _nameless_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("queuectl-child")  # needs no disk, which may be full or read-only
    from tempfile import TemporaryFile

    with TemporaryFile() as file:
        return os.dup(file.fileno())
