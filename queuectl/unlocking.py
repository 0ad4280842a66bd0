"""Unique keys of jobs that operators take out of queues: free with them, so that none leaks."""

from __future__ import annotations

from queuectl.drivers.contract import Driver, State
from queuectl.errors import MalformedPayload
from queuectl.jobs.locks import lock_in
from queuectl.jobs.payload import decode

STATES: tuple[State, ...] = ("ready", "delayed", "reserved")


def free_keys(driver: Driver, queue: str) -> None:
    """Of all that is in a queue which is about to be cleared. Costs one question where no key was ever taken."""
    if not driver.control.has_unique(queue):
        return
    for state in STATES:
        page = driver.page(queue, state)
        while page.items:
            for stored in page.items:
                free_key(driver, queue, stored.payload)
            if page.cursor is None:
                break
            page = driver.page(queue, state, cursor=page.cursor)


def free_key(driver: Driver, queue: str, payload: bytes) -> None:
    """Of this job, if it holds one."""
    try:
        envelope = decode(payload)
    except MalformedPayload:
        return
    lock = lock_in(envelope.more)
    if lock is not None:
        driver.unlock(queue, lock.unique.key, holder=envelope.uuid)
