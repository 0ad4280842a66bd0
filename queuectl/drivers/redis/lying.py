"""Jobs as they lie in Redis, and how listings tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from queuectl.drivers.contract import State, Stored
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import attempts_of, id_of, mark_of, ready_since, unwrap
from queuectl.drivers.redis.wire import command

ASKED = 500
"""Jobs that one command asks about."""
TAIL = 400
"""Bytes at the end of a payload that tell when it became ready."""


class Lying(NamedTuple):
    """A job where it was found."""

    queue: QueueKeys
    member: bytes
    state: State
    at: float

    @classmethod
    def listed(cls, queue: QueueKeys, member: bytes, now: float) -> Lying:
        """A list does not tell since when its jobs are ready; their payloads may."""
        since = ready_since(member[-TAIL:])
        return cls(queue, member, "ready", now if since is None else since)

    def stored(self, parked_at: float | None) -> Stored:
        payload, attempts = unwrap(self.member), attempts_of(self.member)
        return Stored(self.queue.name, id_of(self.member), payload, attempts, self.state, self.at, parked_at)


def told_of(store: Store, jobs: Sequence[Lying]) -> list[Stored]:
    """In their order, with what is known of those that are parked."""
    found: list[Stored] = []
    for some in _batches(jobs):
        marks = [mark_of(job.member) for job in some]
        [scores] = store.run([command(b"ZMSCORE", some[0].queue.parked, args=marks)])
        since = [None if score is None else float(score) for score in scores]
        found += [job.stored(None if job.state == "reserved" else at) for job, at in zip(some, since, strict=True)]
    return found


def _batches(jobs: Sequence[Lying]) -> Iterator[list[Lying]]:
    """Neighbours of one queue."""
    for _, group in groupby(jobs, key=lambda job: job.queue.name):
        some = list(group)
        for start in range(0, len(some), ASKED):
            yield some[start : start + ASKED]
