"""What operators removed, on Redis: kept beside its queue, so that one script moves it there and back.

An index in the slot of the control store tells which operation removed something from which queue, and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from queuectl.drivers.redis.failed_queues import FailedQueues
from queuectl.drivers.redis.keys import KeptKeys, QueueKeys
from queuectl.drivers.redis.lua_failed import FORGET
from queuectl.drivers.redis.lua_operator import NOW
from queuectl.drivers.redis.lua_removed import DISCARD, NOTE, PUT_BACK, PUT_BACK_FAILED, SIZES, TRIM
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import raw, told
from queuectl.drivers.redis.wire import call, command
from queuectl.drivers.removed import KEPT, RemovedStore, Restored

SECONDS = b"%d" % KEPT
TRIMMED = 500
"""Jobs that one run of a script lets go."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one operation removed from one queue."""

    queue: QueueKeys
    operation: str

    @property
    def kept(self) -> KeptKeys:
        return self.queue.kept(self.operation)

    @property
    def entry(self) -> bytes:
        """In the index; no queue's name has a slash."""
        return self.queue.name.encode() + b"/" + raw(self.operation)


class _Sizes(NamedTuple):
    """How many jobs of each kind a part has."""

    ready: int
    delayed: int
    reserved: int
    failed: int

    def movable(self, *, running: bool) -> int:
        """Jobs that an undo puts into their queue."""
        return self.ready + self.delayed + (self.reserved if running else 0)


class RedisRemovedStore(RemovedStore):
    def __init__(self, store: Store, failed_queues: FailedQueues) -> None:
        self._store = store
        self._failed_queues = failed_queues
        self._index = store.names.control("removed")

    # Keeping

    @contextmanager
    def keeping(self, operation: str | None, queues: Iterable[QueueKeys]) -> Iterator[None]:
        """Around what moves jobs of these queues here: noted before the first one comes, so that none is overlooked."""
        if operation is None:
            yield
            return
        entries = [_Part(queue, operation).entry for queue in queues]
        self._store.run([call(NOTE, (self._index,), (self._store.now(), SECONDS, entry)) for entry in entries])
        yield
        self._make_room()

    def _make_room(self) -> None:
        """Let the oldest go if there are too many."""
        parts = self._parts()
        sizes = [sum(sizes) for sizes in self._sizes(parts)]
        excess = sum(sizes) - self.most
        for part, size in zip(parts, sizes, strict=True):
            self._shorten(part, min(size, excess))
            excess -= size

    def _shorten(self, part: _Part, count: int) -> None:
        while count > 0:
            gone = self._store.call(TRIM, part.kept.seven, (b"%d" % min(count, TRIMMED),))
            count = count - gone if gone else 0

    # Undoing

    def put_back(self, operation: str, *, limit: int = 500, running: bool = False) -> Restored:
        parts = self._parts(operation)
        jobs = failed = 0
        for part, sizes in zip(parts, self._sizes(parts), strict=True):
            if (room := limit - jobs - failed) and sizes.movable(running=running):
                jobs += self._put_back_jobs(part, room, running=running)
            if (room := limit - jobs - failed) and sizes.failed:
                failed += self._put_back_failed(part, room)
        after = self._sizes(parts)
        return Restored(
            jobs=jobs,
            failed=failed,
            left=0 if running else sum(sizes.reserved for sizes in after),
            more=any(sizes.failed or sizes.movable(running=running) for sizes in after),
        )

    def _put_back_jobs(self, part: _Part, room: int, *, running: bool) -> int:
        args = (b"%d" % room, b"1" if running else b"0")
        return int(self._store.call(PUT_BACK, (*part.queue.four, *part.kept.jobs), args))

    def _put_back_failed(self, part: _Part, room: int) -> int:
        """The script sees one queue: whether a job has failed again in another is looked up before."""
        kept = self._oldest_failed(part, room)
        elsewhere = list(self._failed_queues.search(list(kept), self._failed_queues.but(part.queue.name)))
        overtaken = {one.uuid for one in elsewhere if one.failed_at > kept[one.uuid]}
        chosen = [raw(uuid) for uuid in kept if uuid not in overtaken]
        self._store.run([self._failed_queues.note(part.queue.name)])
        self._drop(part.kept.failed, overtaken)
        answers = self._store.call(PUT_BACK_FAILED, (*part.queue.failed, *part.kept.failed), chosen)
        for older in elsewhere:
            self._drop(older.queue.failed, {older.uuid} - overtaken)
        return sum(answers)

    def _oldest_failed(self, part: _Part, room: int) -> dict[str, float]:
        """When each of the first few failed."""
        args = (b"0", b"%d" % (room - 1), b"WITHSCORES")
        [found] = self._store.run([command(b"ZRANGE", part.kept.failed[0], args=args)])
        return {told(uuid): float(at) for uuid, at in zip(found[::2], found[1::2], strict=True)}

    def _drop(self, keys: Sequence[bytes], uuids: Iterable[str]) -> None:
        self._store.call(FORGET, keys, (SECONDS, *map(raw, uuids)))

    # Counting

    def count(self, operation: str) -> int:
        return sum(sum(sizes) for sizes in self._sizes(self._parts(operation)))

    def purge(self, operation: str | None = None) -> int:
        parts = self._parts(operation)
        gone = self._store.run([call(DISCARD, part.kept.seven, ()) for part in parts])
        self._store.run([command(b"ZREM", self._index, args=(part.entry,)) for part in parts])
        return sum(gone)

    def _parts(self, operation: str | None = None) -> list[_Part]:
        """Of one operation, or of all, the oldest first; without those whose time is up."""
        now = float(self._store.call(NOW, (self._index,), (self._store.now(),)))
        since = b"(%b" % repr(now - KEPT).encode()
        [entries] = self._store.run([command(b"ZRANGEBYSCORE", self._index, args=(since, b"+inf"))])
        parts = [_part(self._store, entry) for entry in entries]
        return [part for part in parts if operation in (None, part.operation)]

    def _sizes(self, parts: Sequence[_Part]) -> list[_Sizes]:
        return [_Sizes(*reply) for reply in self._store.run([call(SIZES, part.kept.seven, ()) for part in parts])]


def _part(store: Store, entry: bytes) -> _Part:
    queue, _, operation = entry.partition(b"/")
    return _Part(store.names.queue(queue.decode()), told(operation))
