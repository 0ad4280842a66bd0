"""Finding single jobs among all that wait or run: the server looks through its queues a slice at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from queuectl.drivers.contract import Stored
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_looking import FIND_LISTED, FIND_SCORED
from queuectl.drivers.redis.lua_operator import NOW
from queuectl.drivers.redis.lying import Lying, told_of
from queuectl.drivers.redis.operating import Operating
from queuectl.drivers.redis.slices import Slices, Stride
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import id_of, mark_of, raw, told
from queuectl.errors import ConfigurationError

ASKED = 1_000
"""Names that are looked for at a time."""


class Finding:
    def __init__(self, store: Store, operating: Operating) -> None:
        self._store = store
        self._operating = operating

    def find(self, keys: Sequence[str]) -> list[Stored]:
        """The jobs of these uuids or ids, each once. Queues that nobody told us of are looked for only if need be: a
        Redis may be full of other keys."""
        known = self._operating.known()
        found = self._find_in(known, keys)
        left = set(keys) - {name for job in found for name in _names(job.member)}
        if left:
            found += self._find_in([queue for queue in self._operating.queues() if queue not in known], sorted(left))
        return told_of(self._store, found)

    def _find_in(self, queues: Iterable[str], keys: Sequence[str]) -> list[Lying]:
        wanted = list(dict.fromkeys(keys))
        found: list[Lying] = []
        for queue in map(self._store.names.queue, queues):
            for start in range(0, len(wanted), ASKED):
                with suppress(ConfigurationError):  # a key that is called like a queue and is not one
                    found += self._search(queue, wanted[start : start + ASKED])
        return found

    def _search(self, queue: QueueKeys, wanted: Sequence[str]) -> list[Lying]:
        """Read in the direction in which jobs move, so that one on its way is met again, and told of as seen last."""
        found = {id_of(job.member): job for job in self._walk(queue, wanted)}
        return [job for job in found.values() if _names(job.member) & set(wanted)]

    def _walk(self, queue: QueueKeys, wanted: Sequence[str]) -> Iterator[Lying]:
        names = tuple(dict.fromkeys(text for name in wanted for text in _in_json(name)))
        now = float(self._store.call(NOW, (queue.list,), (self._store.now(),)))
        for member in self._listed(queue.list, names):
            yield Lying.listed(queue, member, now)
        for member, score in self._scored(queue.reserved, names):
            yield Lying(queue, member, "reserved", score)
        for member, score in self._scored(queue.delayed, names):
            yield Lying(queue, member, "ready" if score <= now else "delayed", score)

    def _listed(self, key: bytes, names: Sequence[bytes]) -> Iterator[bytes]:
        slices = Slices(0, backward=True)
        while not slices.ended:
            looked_at, size, *found = self._store.call(FIND_LISTED, (key,), (*slices.range, *names))
            slices.move(looked_at, size, ended=not looked_at)
            yield from found

    def _scored(self, key: bytes, names: Sequence[bytes]) -> Iterator[tuple[bytes, float]]:
        stride, cursor = Stride(), b"0"
        while cursor:
            args = (cursor, b"%d" % stride.jobs, *names)
            cursor, size, *found = self._store.call(FIND_SCORED, (key,), args)
            stride.adapt(size)
            yield from zip(found[::2], map(float, found[1::2]), strict=True)


def _names(member: bytes) -> set[str]:
    """What a job may be called."""
    return {id_of(member), told(mark_of(member))}


def _in_json(name: str) -> list[bytes]:
    """How it may stand in a payload: JSON may escape what is not ASCII."""
    return [raw(json.dumps(name, ensure_ascii=ascii_only)[1:-1]) for ascii_only in (True, False)]
