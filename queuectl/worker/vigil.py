"""Waiting awake. Putting a process to sleep and waking it up costs more than a small job does: where the last wait was
over in a moment, the next one is spent looking, for that moment at most. That takes no more processor time, since
waking somebody is work as well, and a queue of small jobs is done in half the time.
"""

from __future__ import annotations

import os
from time import monotonic
from typing import Protocol

MOMENT = 0.0004
"""Seconds that are spent awake at most: what an exchange with a store on the same machine takes, or a small job."""


class Poll(Protocol):
    """As much of a `select.poll` as waiting takes."""

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]: ...


class Vigil:
    """Waits on one poll, again and again. Never awake unless the wait before was short: an idle worker sleeps."""

    def __init__(self, poll: Poll, *, may_stay_awake: bool = True) -> None:
        self._poll = poll
        self._was_short = False
        self._may_stay_awake = may_stay_awake

    def wait(self, milliseconds: float | None = None) -> list[tuple[int, int]]:
        """What the poll finds; without a limit, once it finds something."""
        poll, begun = self._poll.poll, monotonic()
        if self._was_short and milliseconds != 0:
            while monotonic() - begun < MOMENT:
                if found := poll(0):
                    return found
        found = poll(milliseconds)
        self._was_short = self._may_stay_awake and monotonic() - begun < MOMENT
        return found


def has_processors_for(children: int) -> bool:
    """Whether a parent and so many children can all be awake, without keeping each other from their work."""
    return children < len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else False
