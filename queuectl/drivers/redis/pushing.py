"""Entries on their way in: one script for all of them on a server, one for each queue on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_jobs import PUSH, PUSH_READY
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import raw, recounted, told
from queuectl.drivers.redis.wire import Command, call, number, strings
from queuectl.errors import PayloadTooLarge, UsageError
from queuectl.jobs.outcome import Entry

MOST, MOST_BYTES = 100_000, 256 * 1024 * 1024
"""More would hold the server up for seconds, or be cut off by it."""
CENTURY = 100 * 365 * 86_400.0
"""Seconds. Nothing is delayed or held longer: Redis's own expiry has an end."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries as the keys and arguments of a script."""

    queues: list[QueueKeys]
    unique: list[bytes]
    args: list[bytes]

    @property
    def queue_keys(self) -> list[bytes]:
        return [key for queue in self.queues for key in queue.four]


def batch(store: Store, entries: Sequence[Entry], *, unique_from: int) -> Batch:
    """*unique_from*: the place in KEYS of the first unique key, not counting the keys of these queues before it."""
    queues = {entry.queue: store.names.queue(entry.queue) for entry in entries}
    places = {name: b"%d" % place for place, name in enumerate(queues, 1)}
    unique: list[bytes] = []
    args: list[bytes] = []
    for entry in entries:
        place, ttl = b"0", b"0"
        if entry.unique is not None:
            unique.append(store.names.unique(queues[entry.queue], entry.unique.key))
            place = b"%d" % (unique_from + 4 * len(queues) + len(unique) - 1)
            ttl = number(min(max(entry.unique.ttl, 0.001), CENTURY))
        delay = number(min(max(entry.delay, 0.0), CENTURY))
        args += (places[entry.queue], delay, entry.payload, raw(entry.uuid), place, ttl)
    return Batch(list(queues.values()), unique, args)


class Pushing:
    """Accepts entries."""

    def __init__(self, store: Store, max_payload: int) -> None:
        self._store = store
        self._max_payload = max_payload
        self._begins: dict[tuple[bytes, ...], bytes] = {}
        """How pushes of ready jobs begin, by the keys of their queue: half of a command for a single one."""

    def push(self, entries: Sequence[Entry]) -> list[str]:
        """The uuids that stand for the entries, which have been checked, in order."""
        if _are_simple(entries):
            self._store.run([self._ready(entries)])
            return [entry.uuid for entry in entries]
        parts = self._parts(entries)
        standing: dict[int, str] = {}
        for part in parts:
            uuids = self._push_part([entries[place] for place in part])
            standing |= zip(part, uuids, strict=True)
        return [standing[place] for place in range(len(entries))]

    def check(self, entries: Sequence[Entry]) -> set[str]:
        """Refuse names and sizes before anything is sent; the names of the queues."""
        sizes = [len(entry.payload) for entry in entries]
        if len(sizes) > MOST or sum(sizes) > MOST_BYTES:
            raise UsageError(
                f"A push to Redis is one script, of at most {MOST:,} jobs and {MOST_BYTES:,} bytes; this one has "
                f"{len(entries):,} jobs. Push them in parts."
            )
        queues = {entry.queue for entry in entries}
        for queue in queues:
            self._store.names.queue(queue)
        if sizes and max(sizes) > self._max_payload:
            one = entries[sizes.index(max(sizes))]
            raise PayloadTooLarge(
                f"The payload of {one.uuid} has {len(one.payload):,} bytes; max_payload allows {self._max_payload:,}."
            )
        return queues

    def once(self, entries: Sequence[Entry], mark: str) -> list[Command]:
        """Commands that push these, and that do nothing when they are sent again under the same mark."""
        by_queue: dict[str, list[Entry]] = {}
        for entry in entries:
            by_queue.setdefault(entry.queue, []).append(entry)
        return [self._command(some, once=mark) for some in by_queue.values()]

    def _ready(self, entries: Sequence[Entry]) -> Command:
        keys, words = self._store.names.queue(entries[0].queue).four, [self._store.now()]
        words += [entry.payload for entry in entries]
        begins = self._begins.get(keys)
        if begins is None:
            begins = self._begins[keys] = strings([b"EVALSHA", PUSH_READY.sha, b"%d" % len(keys), *keys])
        return Command(keys, b"*%d\r\n%b%b" % (3 + len(keys) + len(words), begins, strings(words)), PUSH_READY)

    def _parts(self, entries: Sequence[Entry]) -> list[list[int]]:
        """Places of entries that one script takes together."""
        if not self._store.servers.sharded:
            return [list(range(len(entries)))] if entries else []
        by_queue: dict[str, list[int]] = {}
        for place, entry in enumerate(entries):
            by_queue.setdefault(entry.queue, []).append(place)
        return list(by_queue.values())

    def _push_part(self, entries: Sequence[Entry]) -> list[str]:
        entries = _distinct(entries)
        while True:
            [reply] = self._store.run([self._command(entries)])
            if not reply[0]:
                return [told(uuid) for uuid in reply[1:]]
            entries = _renewed(entries, {int(place) for place in reply[1:]})

    def _command(self, entries: Sequence[Entry], *, once: str = "") -> Command:
        found = batch(self._store, entries, unique_from=1)
        keys = [*found.queue_keys, *found.unique]
        place = b"0"
        if once:
            keys.append(found.queues[0].once(once))
            place = b"%d" % len(keys)
        return call(PUSH, keys, [self._store.now(), b"%d" % len(found.queues), place, *found.args])


def _are_simple(entries: Sequence[Entry]) -> bool:
    """Of one queue, ready at once, and without a key?"""
    queue = entries[0].queue if entries else ""
    for entry in entries:
        if entry.queue != queue or entry.delay > 0 or entry.unique is not None:
            return False
    return bool(entries)


def _distinct(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Delayed entries of one batch with equal bytes must not become one member."""
    seen: set[tuple[str, bytes]] = set()
    twins: set[int] = set()
    for place, entry in enumerate(entries):
        if entry.delay > 0:
            if (entry.queue, entry.payload) in seen:
                twins.add(place)
            seen.add((entry.queue, entry.payload))
    return _renewed(entries, twins) if twins else entries


def _renewed(entries: Sequence[Entry], places: set[int]) -> list[Entry]:
    """The entries, those at *places* with a new `id`."""
    return [
        entry._replace(payload=recounted(entry.payload, 0)) if place in places else entry
        for place, entry in enumerate(entries)
    ]
