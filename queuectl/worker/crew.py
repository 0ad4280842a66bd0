"""The children of one worker: kept at their number, replaced when they die or grow too large."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic, sleep
from typing import Any

from queuectl.jobs.declaration import Declaration
from queuectl.worker.children import Child, Death, human_size, start_environment
from queuectl.worker.switchboard import Switchboard

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
HOPELESS = 5
"""So many children in a row died young."""
YOUNG = 10.0
"""Until this age, an idle child that dies tells more of the application than of its machine."""
SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
"""What keeps a child from being started and may pass."""
SPARE_DESCRIPTORS = 8
"""Left for the store, whose connections matter more than one child more."""
MEMORY_CHECK = 0.2
LEAVING = 5.0
"""How long a child that was let go may take to leave."""


class Crew:
    """Starts children and buries them."""

    def __init__(
        self,
        command: Sequence[str],
        size: int,
        *,
        places: int = 1,
        memory: int,
        note: Callable[[str], None],
        switchboard: Switchboard | None = None,
    ) -> None:
        """*places*: how many jobs each child runs at once."""
        self._command = command
        self._size = size
        self._places = places
        self._switchboard = switchboard or Switchboard()
        self._memory = memory * (1 << 20)
        self._note = note
        self._children: list[Child] = []
        self._leaving: list[Child] = []
        self._retiring = 0
        """How many of the children are only waited for."""
        self._stillborn = 0
        self._start_at = 0.0
        self._short = False
        self._is_init = os.getpid() == 1
        self._memory_seen: dict[int, float] = {}
        self.declared: Mapping[str, Declaration] = {}
        """What the newest hello said of the application's jobs."""

    def __iter__(self) -> Iterator[Child]:
        return iter(self._children)

    @property
    def hopeless(self) -> bool:
        return self._stillborn >= HOPELESS

    @property
    def start_in(self) -> float:
        """Seconds before a missing child may be started; infinite when none is missing."""
        if not self.is_short:
            return math.inf
        return max(self._start_at - monotonic(), 0.0)

    @property
    def is_short(self) -> bool:
        """Fewer children than there should be take jobs."""
        return len(self._children) - self._retiring < self._size

    @property
    def room(self) -> int:
        """How many jobs could begin now."""
        return sum(child.room for child in self._children)

    @property
    def busy(self) -> bool:
        return any(child.runs for child in self._children)

    def roomiest(self) -> Child | None:
        """Where the next job is to begin: the child that runs the fewest."""
        if len(self._children) == 1:  # asked for each job
            return self._children[0] if self._children[0].room else None
        return max((child for child in self._children if child.room), key=_room, default=None)

    def has_joined(self, key: int) -> bool:
        """May this run have completed itself?"""
        return any(child.has_joined(key) for child in self._children if key in child.runs)

    def idle(self) -> Iterator[Child]:
        """Those that run nothing and could begin something."""
        return (child for child in self._children if child.room and not child.runs)

    def fill(self) -> None:
        """Start what is missing, with growing pauses while children die at birth; hurry those that should have left."""
        if any(child.declarations is not None and child.age > YOUNG for child in self._children):
            self._stillborn = 0
        while self.start_in == 0.0 and not self.hopeless:
            self._start()
        for child in self._leaving:
            if monotonic() > child.leave_by:
                child.kill()

    def greet(self, child: Child, jobs: Mapping[str, Any]) -> None:
        """A child is ready for work."""
        child.declarations = jobs
        self.declared = {name: Declaration.from_json(found) for name, found in jobs.items()}

    def despair(self) -> None:
        """No other child will fare better: the application cannot be imported, or there is no room for one."""
        self._stillborn = HOPELESS

    def rest(self, child: Child) -> None:
        """A child has ended a job: let it go if it has grown too large, or if it was to go."""
        self._stillborn = 0
        if self._memory and self._due_for_memory_check(child) and (size := child.memory()) >= self._memory:
            self._note(f"Child {child.pid} uses {human_size(size)} of memory and is replaced.")
            self.retire(child)
        elif child.retiring:
            self._let_go(child)

    def retire(self, child: Child) -> None:
        """Replace it: it gets nothing more to do, and leaves as soon as it runs nothing."""
        if not child.retiring:
            child.retiring = True
            self._retiring += 1
        self._let_go(child)

    def _let_go(self, child: Child) -> None:
        if child.runs or child not in self._children:
            return
        child.leave_by = monotonic() + LEAVING
        self._remove(child)
        child.close()
        self._leaving.append(child)

    def _remove(self, child: Child) -> None:
        self._children.remove(child)
        self._retiring -= child.retiring
        self._switchboard.disconnect(child)
        self._memory_seen.pop(child.pid, None)

    def reap(self) -> Iterator[tuple[Child, Death]]:
        """The children that have died, taken off the list; the caller reads their last words first."""
        self._leaving = [child for child in self._leaving if child.reap() is None]
        if self._is_init:
            self._bury_strangers()
        for child in list(self._children):
            death = child.reap()
            if death is not None:
                self._remove(child)
                self._note_early_death(child)
                yield child, death
                child.close()

    def _bury_strangers(self) -> None:
        """As the first process of a container we inherit what jobs leave behind, and nobody else would bury it."""
        ours = {child.pid for child in (*self._children, *self._leaving)}
        with contextlib.suppress(ChildProcessError):
            while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and dead.si_pid not in ours:
                os.waitpid(dead.si_pid, 0)

    def dismiss(self, patience: float = 0.5) -> None:
        """Close every line, wait a moment for children to leave, and kill those that do not."""
        for child in self._children:
            self._switchboard.disconnect(child)
            child.close()
        leaving = [*self._children, *self._leaving]
        deadline = monotonic() + patience
        while (leaving := [child for child in leaving if child.reap() is None]) and monotonic() < deadline:
            sleep(0.005)
        for child in leaving:
            child.kill()
        self._children, self._leaving = [], []
        for child in leaving:
            child.wait()

    def _due_for_memory_check(self, child: Child) -> bool:
        now = monotonic()
        if now - self._memory_seen.get(child.pid, 0.0) < MEMORY_CHECK:
            return False
        self._memory_seen[child.pid] = now
        return True

    def _note_early_death(self, child: Child) -> None:
        """Its fault or the application's, not a job's: the next one is started a little later each time."""
        if child.declarations is None or (not child.runs and child.age < YOUNG):
            self._count_stillborn()

    def _count_stillborn(self) -> None:
        self._stillborn += 1
        self._start_at = monotonic() + min(FIRST_PAUSE * 2 ** (self._stillborn - 1), LONGEST_PAUSE)

    def _start(self) -> None:
        try:
            child = Child(self._command, start_environment(), places=self._places, below=_descriptors())
            self._children.append(child)
            self._switchboard.connect(child)
            self._short = False
        except OSError as error:
            if error.errno == errno.EMFILE and not self._children and not self._leaving:
                self._note(f"Not one child can be started: {error}. `ulimit -n` is too small.")
                self.despair()  # the limit is our own, and nothing of ours is left to give way
            elif error.errno in SHORTAGES:
                self._wait_out(error)
            else:
                self._note(f"A child cannot be started: {error}.")
                self._count_stillborn()

    def _wait_out(self, error: OSError) -> None:
        """Those that run go on; said once, tried again and again."""
        if not self._short:
            self._note(
                f"Only {len(self._children)} of {self._size} children run, for another cannot be started: {error}."
            )
        self._short, self._start_at = True, monotonic() + LONGEST_PAUSE


def _descriptors() -> int:
    """How many this process may use for its children's lines."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft - SPARE_DESCRIPTORS


def _room(child: Child) -> int:
    return child.room
