"""Finding single jobs among all that wait or run: the server looks through its queues a slice at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from queuectl.drivers.contract import Stored
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua import Script
from queuectl.drivers.redis.lua_looking import FIND_LISTED, FIND_SCORED
from queuectl.drivers.redis.lua_operator import NOW
from queuectl.drivers.redis.lying import Lying, told_of
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import id_of, mark_of, raw, told
from queuectl.errors import ConfigurationError

ASKED = 1_000
"""Names that are looked for at a time."""
FEWEST, MOST, MOST_BYTES = 1, 500, 1_000_000
"""Jobs, and bytes of them, that one script looks at."""


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
        for members in self._slices(FIND_LISTED, queue.list, names):
            yield from (Lying.listed(queue, member, now) for member in members)
        for found in self._slices(FIND_SCORED, queue.reserved, names):
            for member, score in zip(found[::2], found[1::2], strict=True):
                yield Lying(queue, member, "reserved", float(score))
        for found in self._slices(FIND_SCORED, queue.delayed, names):
            for member, score in zip(found[::2], found[1::2], strict=True):
                yield Lying(queue, member, "ready" if float(score) <= now else "delayed", float(score))

    def _slices(self, script: Script, key: bytes, names: Sequence[bytes]) -> Iterator[list[Any]]:
        """What was found in each slice; large jobs are looked at in smaller ones."""
        place, most = b"0", 50
        while place:
            place, size, *found = self._store.call(script, (key,), (place, b"%d" % most, *names))
            yield found
            most = max(most // 4, FEWEST) if size > MOST_BYTES else min(most * 2, MOST)


def _in_json(name: str) -> list[bytes]:
    """How it may stand in a payload: JSON may escape what is not ASCII."""
    return [raw(json.dumps(name, ensure_ascii=ascii_only)[1:-1]) for ascii_only in (True, False)]
