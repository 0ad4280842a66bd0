"""Finding single jobs among all that wait or run: the server looks through its queues a slice at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

from queuectl.drivers.contract import Stored
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_looking import FIND_LISTED, FIND_SCORED
from queuectl.drivers.redis.lua_operator import NOW
from queuectl.drivers.redis.lying import Lying, told_of
from queuectl.drivers.redis.slices import Slices, Stride
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import id_of, mark_of, raw, told
from queuectl.errors import ConfigurationError

ASKED = 1_000
"""Names that are looked for at a time."""


class Finding:
    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, keys: Sequence[str], queues: Sequence[str]) -> list[Stored]:
        """The jobs of these uuids or ids in these queues, each once."""
        wanted = list(dict.fromkeys(keys))
        found: list[Stored] = []
        for start in range(0, len(wanted), ASKED):
            some = wanted[start : start + ASKED]
            for name in queues:
                with suppress(ConfigurationError):  # a key that is called like a queue and is not one
                    found += told_of(self._store, self._search(self._store.names.queue(name), some))
        return found

    def _search(self, queue: QueueKeys, wanted: Sequence[str]) -> list[Lying]:
        """Read in the direction in which jobs move, so that one on its way is met again, and told of as seen last."""
        found = {id_of(job.member): job for job in self._walk(queue, wanted)}
        names = set(wanted)
        return [job for name, job in found.items() if {name, told(mark_of(job.member))} & names]

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


def _in_json(name: str) -> list[bytes]:
    """How it may stand in a payload: JSON may escape what is not ASCII."""
    return [raw(json.dumps(name, ensure_ascii=ascii_only)[1:-1]) for ascii_only in (True, False)]
