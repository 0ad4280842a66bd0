"""What a store is told of unique and debounced jobs beside the jobs themselves, when they are pushed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from queuectl.drivers.contract import Driver, Joined
from queuectl.drivers.control import ControlStore
from queuectl.errors import QueuectlError
from queuectl.jobs.definition import Job, registered_name
from queuectl.jobs.locks import turn_in
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import decode
from queuectl.jobs.settings import span
from queuectl.transactions import Caller

logger = logging.getLogger("queuectl.dispatch")
WAITS, DAY = 10, 86_400.0
"""It is remembered for ten of its waits, and for a day at least, which job was the last one."""


class Marking:
    """Around the pushes of one program. A store that does not take a mark is no reason not to push."""

    def __init__(self) -> None:
        self._noted: set[tuple[str, str]] = set()

    def before(self, driver: Driver, entries: Sequence[Entry]) -> None:
        """Note the queues that have unique keys, before they do."""
        for queue in _with_keys(entries):
            if (driver.name, queue) not in self._noted:
                try:
                    driver.control.note_unique(queue)
                    self._noted.add((driver.name, queue))
                except QueuectlError as error:
                    logger.debug("The queue %s is not noted as one with unique jobs: %s", queue, error)

    def push_within(
        self, caller: Caller, store: Joined, driver: Driver, jobs: Sequence[Job], entries: Sequence[Entry]
    ) -> list[str]:
        """Push as a part of a transaction of the application's: the marks are a part of it, too, or follow it."""
        control = store.control
        if control is not None:
            for queue in _with_keys(entries):
                control.note_unique(queue)
        stand = store.push(entries)
        if control is not None:
            self.after(control, jobs, entries, stand)
        elif any(job.debounce is not None for job in jobs) and caller.can_tell:
            caller.when_committed(partial(self.after, driver.control, jobs, entries, stand))
        return stand

    def after(self, control: ControlStore, jobs: Sequence[Job], entries: Sequence[Entry], stand: Sequence[str]) -> None:
        """Say which dispatches were none, and which jobs are the last of their kind now.

        Only after the push: a producer that dies in between leaves two that run, and none that does not.
        """
        for job, entry, uuid in zip(jobs, entries, stand, strict=True):
            if uuid != entry.uuid:
                name = registered_name(type(job))
                logger.info("%s was not dispatched: job %s holds its unique key.", name, uuid)
            elif job.debounce is not None:
                _be_newest(control, job, entry)


def _with_keys(entries: Sequence[Entry]) -> set[str]:
    """The queues of those that have unique keys."""
    return {entry.queue for entry in entries if entry.unique is not None}


def _be_newest(control: ControlStore, job: Job, entry: Entry) -> None:
    turn = turn_in(decode(entry.payload).more)
    if turn is None or job.debounce is None:
        return
    try:
        control.be_newest(turn.key, turn.at, max(WAITS * span(job.debounce), DAY))
    except QueuectlError as error:
        name = registered_name(type(job))
        logger.warning("%s %s is not known as the last one; those before it run, too: %s", name, entry.uuid, error)
