"""Signals as a readable descriptor: handlers only say that something came, the worker reads what it was."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterable
from types import FrameType, TracebackType

WATCHED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGUSR2,
    signal.SIGCONT,
    signal.SIGHUP,
    signal.SIGCHLD,
)


HELD = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


class Signals:
    """Catches the worker's signals for as long as it is entered. Main thread only."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._former: dict[int, object] = {}
        self._former_wakeup = -1
        self.pending = False
        """Something has arrived: true even where a poll that ended for another reason did not see it yet."""

    def __enter__(self) -> Signals:
        for number in WATCHED:
            former = signal.getsignal(number)
            if number == signal.SIGHUP and former is signal.SIG_IGN:
                continue  # started under nohup: a hang-up means nothing
            self._former[number] = former
            signal.signal(number, self._catch)
        self._former_wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)  # what a former self has kept for us
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._former_wakeup)
        for number, former in self._former.items():
            signal.signal(number, former)  # type: ignore[arg-type]  # exactly what getsignal gave
        self._read.close()
        self._write.close()

    def hold(self) -> None:
        """Keep what arrives from now on for the program that takes this one's place, until it can catch it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)

    def fileno(self) -> int:
        return self._read.fileno()

    def arrived(self) -> Iterable[signal.Signals]:
        """The signals since the last call, in order."""
        self.pending = False
        try:
            data = self._read.recv(4096)
        except BlockingIOError:
            return []
        return [signal.Signals(number) for number in data]

    def _catch(self, signum: int, frame: FrameType | None) -> None:
        """A handler of our own, not SIG_IGN: an ignored signal would stay ignored in every process a job starts."""
        self.pending = True


def has_terminal() -> bool:
    """Whether a hang-up can come from a closing terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
