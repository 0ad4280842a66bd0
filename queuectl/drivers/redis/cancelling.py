"""Taking jobs out of queues: those that still wait as they were found, or all of a queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from queuectl.drivers.contract import Stored
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_operator import CLEAR
from queuectl.drivers.redis.lua_removed import CANCEL, CLEAR_ASIDE
from queuectl.drivers.redis.removed import SECONDS, RedisRemovedStore
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import member_of
from queuectl.jobs.payload import new_id

MOST, MOST_BYTES = 500, 1_000_000
"""Jobs that one script looks for: others want their turn."""
SEARCHES = b"4"
"""How often one script reads a list, which may be long, to find a job; neighbours are found together."""
NOT_YET = -1


class Cancelling:
    def __init__(self, store: Store, removed: RedisRemovedStore) -> None:
        self._store = store
        self._removed = removed

    def cancel(self, jobs: Sequence[Stored], *, keep: str | None = None) -> list[Stored]:
        by_queue: dict[str, list[Stored]] = {}
        for stored in jobs:
            if stored.state != "reserved":
                by_queue.setdefault(stored.queue, []).append(stored)
        queues = {name: self._store.names.queue(name) for name in by_queue}
        if keep is None:
            return [one for name, some in by_queue.items() for one in self._cancel(queues[name], some, ())]
        self._removed.announce(keep, queues.values())
        gone = [
            one
            for name, some in by_queue.items()
            for one in self._cancel(queues[name], some, queues[name].kept(keep).jobs[:2])
        ]
        self._removed.make_room()
        return gone

    def clear(self, queue: str, *, keep: str | None = None) -> int:
        keys = self._store.names.queue(queue)
        if keep is None:
            return int(self._store.call(CLEAR, (*keys.four, keys.parked), ()))
        self._removed.announce(keep, [keys])
        gone = self._clear_aside(keys, keep)
        self._removed.make_room()
        return gone

    def _clear_aside(self, queue: QueueKeys, operation: str) -> int:
        """Since when jobs are parked stays noted, for the day on which they may come back."""
        keys, total, more = (*queue.four, *queue.kept(operation).jobs), 0, True
        while more:
            gone, more = self._store.call(CLEAR_ASIDE, keys, (SECONDS, b"%d" % MOST))
            total += gone
        return total

    def _cancel(self, queue: QueueKeys, jobs: Sequence[Stored], kept: Sequence[bytes]) -> Iterator[Stored]:
        for portion in _portions(jobs):
            while portion:
                answers = self._ask(queue, [member for _, member in portion], kept)
                yield from (one for (one, _), answer in zip(portion, answers, strict=True) if answer == 1)
                portion = [one for one, answer in zip(portion, answers, strict=True) if answer == NOT_YET]

    def _ask(self, queue: QueueKeys, members: Sequence[bytes], kept: Sequence[bytes]) -> list[int]:
        mark = new_id().encode()  # no payload is 32 digits that nobody knew before
        keys = (*queue.four, queue.scratch, *kept)
        answers: list[int] = self._store.call(CANCEL, keys, (mark, SECONDS, SEARCHES, *members))
        return answers


def _portions(jobs: Sequence[Stored]) -> Iterator[list[tuple[Stored, bytes]]]:
    """The jobs and how they lie in the store, as many at a time as one script may look for."""
    portion: list[tuple[Stored, bytes]] = []
    size = 0
    for stored in jobs:
        member = member_of(stored.payload, stored.id, stored.attempts)
        if portion and (len(portion) == MOST or size + len(member) > MOST_BYTES):
            yield portion
            portion, size = [], 0
        portion.append((stored, member))
        size += len(member)
    if portion:
        yield portion
