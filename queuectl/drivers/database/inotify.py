"""Linux tells when a file is written to; elsewhere, and where it will not, one has to look."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable

IN_MODIFY = 0x2
READ = 4096


class FileNews:
    """Readable as soon as one of some files has been written to."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def take(self) -> bool:
        """Was there any news since the last time? Never waits."""
        found = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._descriptor, READ):
                found = True
        return found

    def close(self) -> None:
        """Once: the number may soon be somebody else's file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def news_of(paths: Iterable[str]) -> FileNews | None:
    """Of those of the files that exist; None where nobody tells."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # only here: it costs a megabyte

    libc = ctypes.CDLL(None)
    try:
        descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor < 0:  # this user has too many already
            return None
        news = FileNews(descriptor)
        watched = [libc.inotify_add_watch(descriptor, os.fsencode(path), IN_MODIFY) for path in paths]
    except AttributeError:  # a C library without it
        return None
    if all(number < 0 for number in watched):
        news.close()
        return None
    return news
