"""A worker's output when nobody reads it: leases matter more than lines."""

from __future__ import annotations

import select
from typing import TextIO

from queuectl.commands.output import Output
from queuectl.events import Event, Listener

PATIENCE = 1.0
"""Seconds that a slow reader may hold the worker up."""


class Unblocked:
    """Passes events on as long as somebody reads what is printed.

    A pipe that stays full (a pager, a stopped terminal, a log collector that hangs) holds the worker up once; from then
    on lines are left out until there is room again. Waiting longer would cost the leases of the jobs that run.
    """

    def __init__(self, listener: Listener, output: Output) -> None:
        self._listener, self._output = listener, output
        self._left_out = 0

    def __call__(self, event: Event) -> None:
        if not self._has_room(0.0 if self._left_out else PATIENCE):
            self._left_out += 1
            return
        if self._left_out:
            self._output.warn(f"{self._left_out} lines were not printed here: nobody read them.")
            self._left_out = 0
        self._listener(event)

    def _has_room(self, patience: float) -> bool:
        return all(_has_room(stream, patience) for stream in (self._output.stdout, self._output.stderr))


def _has_room(stream: TextIO, patience: float) -> bool:
    """Files and readers that are gone have room: the write itself tells of the latter."""
    poll = select.poll()
    try:
        poll.register(stream.fileno(), select.POLLOUT)
    except ValueError:  # no descriptor: a stream in memory
        return True
    return bool(poll.poll(patience * 1000))
