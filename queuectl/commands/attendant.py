"""Who keeps a worker on the newest code: a process that starts it, watches the files, and starts it anew.

The worker is a process of its own, called with the very words that we were called with, and a variable that says whose
it is. It finishes what it runs before it goes, as at any stop.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic
from types import FrameType

from queuectl.commands.exit_codes import DONE, USAGE
from queuectl.commands.output import Output
from queuectl.commands.session import Session
from queuectl.commands.text import safe
from queuectl.worker.orphans import signal_when_orphaned
from queuectl.worker.stop import StopReason

VARIABLE = "QUEUECTL_LISTENER"
"""In the worker's environment: the number of the process that attends to it."""
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
PASSED_ON = {number: number for number in (*STOPS, signal.SIGUSR2, signal.SIGCONT)} | {signal.SIGHUP: signal.SIGTERM}
"""What we are sent, and what the worker is sent for it. It has a process group of its own: a terminal's Ctrl-C
reaches it through us, and so only once."""
PLANNED = (DONE, StopReason.MEMORY.exit_code)
FINAL = (USAGE, StopReason.LOST_CONNECTION.exit_code, StopReason.ABORTED.exit_code)
"""Ends that no change of a file repairs."""
PAUSE = 0.5
"""Seconds from one start to the next, at least: whatever makes a worker end at once does not make us spin."""


def is_attended() -> bool:
    """Is this the worker? Then it is told when its attendant dies, and stops as at any TERM."""
    attendant = os.environ.get(VARIABLE, "")
    return attendant == str(os.getppid()) and signal_when_orphaned(signal.SIGTERM, int(attendant))


class Attendant:
    """One worker, again and again."""

    def __init__(
        self, command: Sequence[str], changes: Iterable[Sequence[Path]], output: Output, *, root: Path
    ) -> None:
        """*changes* tells every moment which files have changed, mostly none."""
        self._command, self._changes, self._output, self._root = command, changes, output, root
        self._worker: subprocess.Popen[bytes] | None = None
        self._started = -PAUSE
        self._stopping = False
        self._renewing = False
        """It was told to go because of a change."""
        self._broken = False
        """It ended in a way that a change may repair."""

    def run(self, *, may_end: bool) -> int:
        """Until we are told to stop, or, where it *may_end* by itself, until it does: its exit code."""
        former = {number: signal.signal(number, self._pass_on) for number in PASSED_ON}
        try:
            return self._attend(may_end=may_end)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _attend(self, *, may_end: bool) -> int:
        for changed in self._changes:
            if changed and not self._stopping:
                self._renew(changed)
            if (code := self._ended()) is not None:
                if self._stopping or code in FINAL or (code == DONE and may_end and not self._renewing):
                    return _exit_code(code)
                self._judge(code)
            if self._stopping and self._worker is None:
                break
            self._start_if_due()
        return DONE

    def _ended(self) -> int | None:
        """How the worker ended, if it just did."""
        code = None if self._worker is None else self._worker.poll()
        if code is not None:
            self._worker = None
        return code

    def _renew(self, changed: Sequence[Path]) -> None:
        what = self._told(changed)
        if self._worker is None:
            self._output.info(f"{what}: the worker starts anew.")
        elif not self._renewing:
            self._output.info(f"{what}: the worker finishes what it runs, then it starts anew.")
            self._worker.terminate()
        self._renewing, self._broken = True, False

    def _judge(self, code: int) -> None:
        """Why it ended, unless that was our doing."""
        self._broken = not self._renewing and code not in PLANNED
        if self._broken:
            how = f"exit code {code}" if code >= 0 else f"signal {-code}"
            self._output.warn(f"The worker ended with {how}. It starts anew when a file changes.")

    def _start_if_due(self) -> None:
        if self._worker is None and not self._broken and not self._stopping and monotonic() >= self._started + PAUSE:
            environment = {**os.environ, VARIABLE: str(os.getpid())}
            self._worker = subprocess.Popen(self._command, env=environment, stdin=subprocess.DEVNULL, process_group=0)
            self._started, self._renewing = monotonic(), False
            if self._stopping:  # told so while it was being started, and it was not there to be told
                self._worker.terminate()

    # What we are told

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        meant = PASSED_ON[signal.Signals(number)]
        self._stopping = self._stopping or meant in STOPS
        if self._worker is not None:
            self._worker.send_signal(meant)

    # What we say

    def _told(self, changed: Sequence[Path]) -> str:
        first, others = changed[0], len(changed) - 1
        name = first.relative_to(self._root) if first.is_relative_to(self._root) else first
        more = f" and {others} more" if others else ""
        return f"{safe(str(name))}{more} changed"


def _exit_code(code: int) -> int:
    """Of an end in code of Python's: one that was asked for before the worker could hear it is none to mind."""
    if code >= 0:
        return code
    return DONE if -code in STOPS else 128 - code


def attend(session: Session, *, may_end: bool) -> int:
    """Keep a worker of this very command line on the newest code; the exit code to end with."""
    from queuectl.commands.sources import changes

    root, file = session.config.root, session.config.path
    places = [root] if file is None or file.is_relative_to(root) else [root, file]
    session.output.info(f"Watching {root}: the worker starts anew when its code changes.")
    command = [sys.executable, "-P", "-m", "queuectl", *session.words]
    return Attendant(command, changes(places), session.output, root=root).run(may_end=may_end)
