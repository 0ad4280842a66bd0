"""Which queues have failed jobs: an index, because each queue keeps its own under its own hash tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_failed import NOTE
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import raw
from queuectl.drivers.redis.wire import Command, call, command


class Failure(NamedTuple):
    """Where a uuid has failed, and when."""

    uuid: str
    failed_at: float
    queue: QueueKeys


class FailedQueues:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._index = store.names.control("failed-queues")

    def note(self, queue: str) -> Command:
        """What notes that a queue has failures; sent before the first of them is written."""
        return call(NOTE, (self._index, self._store.names.control("scratch")), (queue.encode(),))

    def all(self) -> list[QueueKeys]:
        [names] = self._store.run([command(b"SMEMBERS", self._index)])
        return [self._store.names.queue(name.decode()) for name in sorted(names)]

    def but(self, queue: str) -> list[QueueKeys]:
        """All others."""
        return [keys for keys in self.all() if keys.name != queue]

    def search(self, uuids: Sequence[str], queues: Iterable[QueueKeys]) -> Iterator[Failure]:
        """Where in these queues each of these failed; those that are nowhere are left out."""
        asked, queues = tuple(map(raw, uuids)), list(queues)
        if not asked:
            return
        replies = self._store.run([command(b"ZMSCORE", keys.failed[0], args=asked) for keys in queues])
        for keys, scores in zip(queues, replies, strict=True):
            for uuid, score in zip(uuids, scores, strict=True):
                if score is not None:
                    yield Failure(uuid, float(score), keys)
