"""Taking jobs out of queues: those that still wait as they were found, or all of a queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from queuectl.drivers.contract import Stored
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_operator import CLEAR
from queuectl.drivers.redis.lua_removed import CANCEL_DELAYED, CANCEL_LISTED, CLEAR_ASIDE
from queuectl.drivers.redis.removed import SECONDS, RedisRemovedStore
from queuectl.drivers.redis.slices import Slices
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import digest, member_of
from queuectl.jobs.payload import new_id

MOST, MOST_BYTES = 500, 1_000_000
"""Jobs that are looked for at a time."""


class Cancelling:
    def __init__(self, store: Store, removed: RedisRemovedStore) -> None:
        self._store = store
        self._removed = removed
        self._near: dict[str, int] = {}
        """By queue: where in its list the last ones were found; who cancels many goes through it in order."""

    def cancel(self, jobs: Sequence[Stored], *, keep: str | None = None) -> list[Stored]:
        by_queue: dict[str, list[Stored]] = {}
        for stored in jobs:
            if stored.state != "reserved":
                by_queue.setdefault(stored.queue, []).append(stored)
        queues = [self._store.names.queue(name) for name in by_queue]
        with self._removed.keeping(keep, queues):
            return [one for queue in queues for one in self._cancel(queue, by_queue[queue.name], keep)]

    def clear(self, queue: str, *, keep: str | None = None) -> int:
        keys = self._store.names.queue(queue)
        if keep is None:
            return int(self._store.call(CLEAR, (*keys.four, keys.parked), ()))
        with self._removed.keeping(keep, [keys]):
            return self._clear_aside(keys, keep)

    def _clear_aside(self, queue: QueueKeys, operation: str) -> int:
        """Since when jobs are parked stays noted, for the day on which they may come back."""
        keys, total, more = (*queue.four, *queue.kept(operation).jobs), 0, True
        while more:
            gone, more = self._store.call(CLEAR_ASIDE, keys, (SECONDS, b"%d" % MOST))
            total += gone
        return total

    def _cancel(self, queue: QueueKeys, jobs: Sequence[Stored], keep: str | None) -> Iterator[Stored]:
        """Those that wait for their time first: they move from there to the list, and not back."""
        kept = () if keep is None else queue.kept(keep).jobs
        for portion in _portions(jobs):
            members = [member for _, member in portion]
            answers = self._store.call(CANCEL_DELAYED, (queue.delayed, queue.scratch, *kept[1:2]), (SECONDS, *members))
            listed = []
            for one, gone in zip(portion, answers, strict=True):
                if gone:
                    yield one[0]
                else:
                    listed.append(one)
            yield from self._from_list(queue, listed, kept[:1])

    def _from_list(
        self, queue: QueueKeys, jobs: Sequence[tuple[Stored, bytes]], kept: Sequence[bytes]
    ) -> Iterator[Stored]:
        """Looked for where the last ones were, and on from there; then from the end, so that none is passed by."""
        wanted = [(stored, digest(member).encode()) for stored, member in jobs]
        for slices in (Slices(self._near.get(queue.name, 0)), Slices(0, backward=True)):
            while wanted and not slices.ended:
                start = slices.start
                places = self._take(queue, slices, [name for _, name in wanted], kept)
                if places:
                    self._near[queue.name] = 0 if slices.backward else start
                yield from (wanted[place][0] for place in sorted(places))
                wanted = [one for place, one in enumerate(wanted) if place not in places]

    def _take(self, queue: QueueKeys, slices: Slices, digests: Sequence[bytes], kept: Sequence[bytes]) -> set[int]:
        mark = new_id().encode()  # no payload is 32 digits that nobody knew before
        args = (mark, SECONDS, *slices.range, *digests)
        looked_at, size, ended, *found = self._store.call(CANCEL_LISTED, (*queue.four, queue.scratch, *kept), args)
        slices.move(looked_at - len(found), size, ended=bool(ended))
        return {place - 1 for place in found}


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
