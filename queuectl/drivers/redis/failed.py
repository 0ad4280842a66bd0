"""The failed store on Redis: each queue's failures under its own hash tag, and an index of those queues."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import chain, islice
from typing import NamedTuple, TypeVar

from queuectl.drivers.contract import FailedJob, FailedStore, Page
from queuectl.drivers.redis.failed_queues import FailedQueues
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_failed import ADD, FLUSH, FORGET, RETRY
from queuectl.drivers.redis.lua_looking import BEFORE
from queuectl.drivers.redis.removed import SECONDS, RedisRemovedStore
from queuectl.drivers.redis.rows import failed_job, row_of, stored_text
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import digest, raw, told
from queuectl.drivers.redis.wire import Command, call, command, number
from queuectl.jobs.outcome import FailedRecord
from queuectl.jobs.payload import again

T = TypeVar("T")
BATCH = 100
"""Rows that one trip touches; payloads may be large."""
PORTION = 1_000_000
"""Bytes of payloads that one run of the retry script moves."""
DELETED = 500
"""Rows that one run of a script deletes."""


class RedisFailedStore(FailedStore):
    """Ids are the uuids: Redis has no short numbers to give."""

    def __init__(self, store: Store, queues: FailedQueues, removed: RedisRemovedStore) -> None:
        self._store = store
        self._queues = queues
        self._removed = removed

    def add(self, records: Sequence[FailedRecord]) -> None:
        for some in _batches(records):
            self._store.run([self._queues.note(queue) for queue in {record.queue for record in some}])
            replies = self._store.run([self._addition(record) for record in some])
            self._drop_elsewhere([record for record, kept in zip(some, replies, strict=True) if kept])

    def page(self, *, queue: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[FailedJob]:
        queues = self._queues.all() if queue is None else [self._store.names.queue(queue)]
        found = self._newest(queues, cursor, limit + 1)
        shown = found[:limit]
        rows = self._rows(shown)
        items = [failed_job(told(place.uuid), row) for place in shown if (row := rows[place.queue][place.uuid])]
        return Page(items, shown[-1].cursor if len(found) > limit else None)

    def _rows(self, places: Sequence[_Place]) -> dict[str, dict[bytes, bytes | None]]:
        """By queue and uuid."""
        uuids: dict[str, list[bytes]] = {}
        for place in places:
            uuids.setdefault(place.queue, []).append(place.uuid)
        keys = [self._store.names.queue(name).failed[1] for name in uuids]
        reads = [command(b"HMGET", key, args=some) for key, some in zip(keys, uuids.values(), strict=True)]
        replies = zip(uuids.items(), self._store.run(reads), strict=True)
        return {name: dict(zip(some, rows, strict=True)) for (name, some), rows in replies}

    def get(self, key: str) -> FailedJob | None:
        found = self._find([key])
        if key not in found:
            return None
        keys, uuid = found[key], raw(key)
        commands = [command(b"HGET", part, args=(uuid,)) for part in keys.failed[1:]]
        row, payload, text = self._store.run(commands)
        return failed_job(key, row, payload=payload or b"", text=text or b"") if row else None

    def count(self) -> int:
        return sum(self._store.run([command(b"ZCARD", keys.failed[0]) for keys in self._queues.all()]))

    def retry(self, keys: Sequence[str], *, watch: str | None = None) -> list[str]:
        moved: list[str] = []
        for some in _batches(list(dict.fromkeys(keys))):
            moved += self._retry(some, watch)
        return moved

    def forget(self, keys: Sequence[str], *, keep: str | None = None) -> list[str]:
        gone: list[str] = []
        for some in _batches(list(dict.fromkeys(keys)), DELETED):
            places = _by_queue(self._find(some))
            with self._removed.keeping(keep, [queue for queue, _ in places]):
                gone += [uuid for queue, uuids in places for uuid in self._forget(queue, uuids, keep)]
        return gone

    def flush(self, *, before: float | None = None, keep: str | None = None) -> int:
        until = b"+inf" if before is None else number(before)
        queues = self._queues.all()
        with self._removed.keeping(keep, queues):
            return sum(self._flush(queue, until, keep) for queue in queues)

    def _forget(self, queue: QueueKeys, uuids: Sequence[str], keep: str | None) -> list[str]:
        """As many at a time as the script takes."""
        gone: list[str] = []
        while uuids:
            answers = self._store.call(FORGET, _from_and_to(queue, keep), (SECONDS, *map(raw, uuids)))
            gone += [uuid for uuid, yes in zip(uuids, answers, strict=False) if yes]
            uuids = uuids[len(answers) :]
        return gone

    def _flush(self, queue: QueueKeys, until: bytes, keep: str | None) -> int:
        total, args = 0, (SECONDS, until, b"%d" % DELETED)
        while dropped := self._store.call(FLUSH, _from_and_to(queue, keep), args):
            total += dropped
        return total

    def _retry(self, uuids: Sequence[str], watch: str | None) -> list[str]:
        places = _by_queue(self._find(uuids))
        reads = [command(b"HMGET", keys.failed[2], args=tuple(map(raw, found))) for keys, found in places]
        portions = [
            (keys, some)
            for (keys, found), payloads in zip(places, self._store.run(reads), strict=True)
            for some in _portions(zip(found, payloads, strict=True))
        ]
        replies = self._store.run([self._retrial(keys, some, watch) for keys, some in portions])
        return _chosen([[uuid for uuid, _ in some] for _, some in portions], replies)

    def _retrial(self, keys: QueueKeys, portion: Sequence[tuple[str, bytes]], watch: str | None) -> Command:
        clock = self._store.clock
        now = time.time() if clock is None else clock.now()
        args = [self._store.now()]
        for uuid, payload in portion:
            args += (raw(uuid), digest(payload).encode(), again(payload, now=now, watch=watch))
        return call(RETRY, (*keys.four, *keys.failed, keys.parked), args)

    def _addition(self, record: FailedRecord) -> Command:
        row, text = row_of(record), stored_text(record)
        args = (raw(record.uuid), number(record.failed_at), row, record.payload, text)
        return call(ADD, self._store.names.queue(record.queue).failed, args)

    def _drop_elsewhere(self, records: Sequence[FailedRecord]) -> None:
        """A uuid has one row, also if it failed in another queue before."""
        queues = self._queues.all()
        self._store.run(
            [
                call(FORGET, keys.failed, (SECONDS, raw(record.uuid)))
                for record in records
                for keys in queues
                if keys.name != record.queue
            ]
        )

    def _find(self, uuids: Sequence[str]) -> dict[str, QueueKeys]:
        """Which queue each of these failed in; those that are nowhere are left out."""
        return {one.uuid: one.queue for one in self._queues.search(uuids, self._queues.all())}

    def _newest(self, queues: Sequence[QueueKeys], cursor: str | None, limit: int) -> list[_Place]:
        """The first places after the cursor."""
        at, _, uuid = (cursor or "inf/").partition("/")
        args = (number(float(at)), raw(uuid), b"%d" % limit)
        replies = self._store.run([call(BEFORE, keys.failed[:1], args) for keys in queues])
        listings = [_places(keys.name, reply) for keys, reply in zip(queues, replies, strict=True)]
        return list(islice(merge(*listings, reverse=True), limit))


class _Place(NamedTuple):
    """Where a failed job stands among the others."""

    failed_at: float
    uuid: bytes
    queue: str

    @property
    def cursor(self) -> str:
        return f"{self.failed_at!r}/{told(self.uuid)}"


def _places(queue: str, reply: Sequence[bytes]) -> Iterator[_Place]:
    """Of a listing of one queue."""
    return (_Place(float(at), uuid, queue) for uuid, at in zip(reply[::2], reply[1::2], strict=True))


def _from_and_to(queue: QueueKeys, operation: str | None) -> Sequence[bytes]:
    """Where failed jobs lie, and where an operation, if there is one, keeps them."""
    return queue.failed if operation is None else (*queue.failed, *queue.kept(operation).failed)


def _by_queue(found: Mapping[str, QueueKeys]) -> list[tuple[QueueKeys, list[str]]]:
    """The uuids of each queue."""
    uuids: dict[str, tuple[QueueKeys, list[str]]] = {}
    for uuid, keys in found.items():
        uuids.setdefault(keys.name, (keys, []))[1].append(uuid)
    return list(uuids.values())


def _portions(payloads: Iterable[tuple[str, bytes | None]]) -> Iterator[list[tuple[str, bytes]]]:
    """Those that are still there, as many at a time as one script may hold up the server with."""
    portion: list[tuple[str, bytes]] = []
    size = 0
    for uuid, payload in payloads:
        if payload is None:
            continue
        if portion and size + len(payload) > PORTION:
            yield portion
            portion, size = [], 0
        portion.append((uuid, payload))
        size += len(payload)
    if portion:
        yield portion


def _chosen(uuids: Sequence[Sequence[str]], replies: Sequence[Sequence[int]]) -> list[str]:
    """The uuids that the scripts said yes to."""
    pairs = zip(chain.from_iterable(uuids), chain.from_iterable(replies), strict=True)
    return [uuid for uuid, yes in pairs if yes]


def _batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
