"""The parent's side of a child process: start it, talk to it without ever blocking, and know how it died."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from queuectl.jobs.outcome import Ending
from queuectl.worker.black_box import WHERE_ARE_YOU, BlackBox
from queuectl.worker.frames import CHUNK, Frame, FrameReader, Kind, pack

_PAGE = os.sysconf("SC_PAGE_SIZE")
MOMENT, MOMENTS = 0.1, 5
"""Seconds in which a child writes down where it is before it is killed; so often if it has written nothing yet."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a child ended."""

    status: int
    """As `waitpid` gives it."""
    peak_memory: int
    """Bytes."""
    begun: frozenset[int] = frozenset()
    """The keys of the runs whose code it had begun last, one for each place."""
    joined: frozenset[int] = frozenset()
    """Those of them that may have completed themselves."""
    trace: str = ""
    """Where its interpreter was, if it could still tell."""

    def __str__(self) -> str:
        if os.WIFSIGNALED(self.status):
            number = os.WTERMSIG(self.status)
            how = f"killed by signal {number} ({_signal_name(number)})"
        else:
            how = f"exited with code {os.WEXITSTATUS(self.status)} in mid-job"
        return f"{how}, peak memory {human_size(self.peak_memory)}"

    @property
    def at_length(self) -> str:
        """In words, with the trace."""
        return f"{self}.\n{self.trace}".rstrip()


class Child:
    """One child process with its line, and the jobs that it runs."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, places: int = 1, below: int = sys.maxsize
    ) -> None:
        """*places*: how many jobs it runs at once; *below*: what the descriptor of its line must stay under.

        Raises `OSError` if it cannot be started.
        """
        self._line, self._box, self._process = _start(command, environment, places, below)
        self._reader = FrameReader()
        self._out = bytearray()
        self._places = places
        self.pid = self._process.pid
        self.started = monotonic()
        self.declarations: Mapping[str, Any] | None = None
        """What its hello said of its jobs; None until then."""
        self.runs: dict[int, float] = {}
        """The keys of what it runs, each with the monotonic time at which it is ended."""
        self._wake_at = math.inf
        self._asked = 0
        """How often it has been told that its time is up."""
        self.is_alone = False
        """What it runs must have no neighbours."""
        self.retiring = False
        """It is given nothing more, and leaves once it runs nothing."""
        self.killed_for: Ending | None = None
        """Why we killed it, if we did."""
        self.overdue: frozenset[int] = frozenset()
        """The runs whose lateness it was killed for."""
        self.leave_by = math.inf
        """Monotonic time until which it may take its leave, once it has been let go."""
        self.hung_up = False
        """Its end of the line is closed: it is dead, or as good as dead."""

    @property
    def age(self) -> float:
        return monotonic() - self.started

    @property
    def room(self) -> int:
        """How many jobs it could begin now."""
        if self.declarations is None or self.is_alone or self.retiring or self.hung_up:
            return 0
        return self._places - len(self.runs)

    @property
    def wants_to_write(self) -> bool:
        return bool(self._out)

    def fileno(self) -> int:
        return self._line.fileno()

    def assign(self, key: int, frame: bytes, patience: float) -> None:
        """Give it something to do, and *patience* seconds before it is killed over it. Sent by the next `flush`."""
        if self._asked:  # what it did before came to its end after all
            self._asked = 0
            self._box.forget()
        self.runs[key] = deadline = monotonic() + patience
        self._wake_at = min(self._wake_at, deadline)
        self._out += frame

    def release(self, key: int) -> bool:
        """It is done with this; whether it had it at all."""
        if self.runs.pop(key, None) is None:
            return False
        if not self.runs:
            self.is_alone = False
        return True

    def has_joined(self, key: int) -> bool:
        """May this run have completed itself?"""
        return key in self._box.joined

    def cancel(self, key: int, patience: float) -> None:
        """Show what it runs under this key that it is to end, in *patience* seconds at the latest."""
        self._box.cancel(key)
        self.runs[key] = min(self.runs[key], monotonic() + patience)
        self._wake_at = min(self._wake_at, self.runs[key])

    def interrupt(self, key: int) -> None:
        """As at its time limit: by an exception in a plain job, by cancelling a coroutine."""
        if key not in self.runs:
            return
        if self._places == 1:
            self._send(os.kill, signal.SIGALRM)
        else:
            self._out += pack(Kind.CANCEL, key)
            self.flush()

    def next_deadline(self, now: float) -> float:
        """Monotonic time at which something it runs may have to be ended: never later than the true one."""
        if now >= self._wake_at:
            self._wake_at = min(self.runs.values(), default=math.inf)
        return self._wake_at

    def flush(self) -> None:
        """Write what is queued, as far as it goes."""
        try:
            while self._out:
                del self._out[: self._line.send(self._out)]
        except (BlockingIOError, ConnectionError):  # a dead child is noticed by its death
            pass

    def receive(self) -> Iterator[Frame]:
        """The frames that have arrived whole."""
        try:
            while data := self._line.recv(CHUNK):
                yield from self._reader.feed(data)
                if len(data) < CHUNK:
                    return
        except BlockingIOError:
            return
        except (OSError, ValueError):  # it died with our words unread, or its job wrote into the line
            pass
        self.hung_up = True

    def reap(self) -> Death | None:
        """How it died, once it has; None while it lives. Ask `receive` once more first: it may have reported."""
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        self.kill()  # what it started must not outlive it; before its pid, and so its group, can be given to another
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        with contextlib.closing(self._box) as box:
            return Death(status, usage.ru_maxrss * 1024, box.begun, box.joined, box.trace)

    def end_late(self, now: float) -> None:
        """The time of something it runs is up: have it write down where it is, and a moment later kill it."""
        overdue = frozenset(key for key, deadline in self.runs.items() if now >= deadline)
        if self._asked and (self._box.trace or self._asked >= MOMENTS):
            self.overdue = overdue
            self.kill(Ending.TIMED_OUT)
            return
        if not self._asked:
            self._send(os.kill, WHERE_ARE_YOU)
        self._asked += 1
        for key in overdue:
            self.runs[key] = now + MOMENT
        self._wake_at = now + MOMENT

    def kill(self, why: Ending | None = None) -> None:
        """End it and everything it started."""
        if self._process.returncode is not None:  # buried: its number may be another's by now
            return
        self.killed_for = self.killed_for or why
        self.runs = dict.fromkeys(self.runs, math.inf)
        self._wake_at = math.inf
        for send in (os.killpg, os.kill):  # the group, and itself in case its job has left the group
            self._send(send, signal.SIGKILL)

    def _send(self, send: Callable[[int, int], None], number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(self.pid, number)

    def wait(self) -> None:
        """Until it is dead and buried."""
        self._process.wait()
        self._box.close()

    def close(self) -> None:
        """Close the line: an idle child then leaves by itself."""
        self.flush()
        self._line.close()

    def memory(self) -> int:
        """Resident bytes now; 0 where that cannot be read."""
        return resident(self.pid)


def _start(
    command: Sequence[str], environment: Mapping[str, str], places: int, below: int
) -> tuple[socket.socket, BlackBox, subprocess.Popen[bytes]]:
    """A process, our end of its line, and its black box."""
    with contextlib.ExitStack() as unless_started:
        box = unless_started.enter_context(contextlib.closing(BlackBox.make(places)))
        ours, theirs = socket.socketpair()
        unless_started.enter_context(ours)
        ours.setblocking(False)
        with theirs:
            descriptors = theirs.fileno(), box.fileno()
            if max(descriptors) >= below:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            words = [theirs.fileno(), os.getpid(), box.fileno(), places]
            process = _execute([*command, *map(str, words)], environment, descriptors)
        unless_started.pop_all()
    return ours, box, process


def _execute(
    command: Sequence[str], environment: Mapping[str, str], descriptors: tuple[int, int]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno() if _has_descriptor(sys.stderr) else subprocess.DEVNULL,
        pass_fds=descriptors,
        process_group=0,  # a job's own children die with it, and Ctrl-C reaches only the parent
        env=dict(environment),
    )


def start_environment() -> dict[str, str]:
    """The children's environment: ours, with Python's output unbuffered so that a job's prints are seen when made."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def resident(pid: int | str = "self") -> int:
    """Resident bytes of a process; 0 where that cannot be read."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as found:  # noqa: PTH123  # read on the hot path
            return int(found.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def human_size(size: int) -> str:
    """Bytes in the unit a person would choose."""
    if size < 1 << 30:
        return f"{size / (1 << 20):.0f} MB"
    return f"{size / (1 << 30):.1f} GB"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _has_descriptor(stream: Any) -> bool:
    try:
        stream.fileno()
    except (AttributeError, OSError, ValueError):
        return False
    return True
