"""Reserving: one script takes the next jobs; a job that it does not understand goes through the client."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from queuectl.drivers.contract import Reserved
from queuectl.drivers.redis.lua_jobs import RENEW, RESERVE, TAKE
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import attempts_of, id_in, id_of, recounted, unwrap
from queuectl.drivers.redis.wire import Command, call, number
from queuectl.errors import QueuectlError

KEPT = 64
"""Commands kept ready; a worker uses a handful."""


class Reserving:
    """Hands out jobs, and keeps their leases."""

    def __init__(self, store: Store, *, lease: float) -> None:
        self._store = store
        self._lease = number(lease)
        self._ready: dict[tuple[tuple[str, ...], int], Command] = {}
        self._due: dict[tuple[str, ...], float] = {}
        """By queues: when, by this host's monotonic clock, something falls due."""

    def groups(self, queues: Sequence[str]) -> list[tuple[str, ...]]:
        """The queues in order, neighbours of one slot together: each group is one script."""
        names = list(dict.fromkeys(queues)) if len(queues) > 1 else queues
        if not self._store.servers.sharded:
            return [tuple(names)] if names else []
        found: list[tuple[str, ...]] = []
        last = None
        for name in names:
            slot = self._store.servers.slot(self._store.names.queue(name).list)
            if slot == last:
                found[-1] += (name,)
            else:
                found.append((name,))
            last = slot
        return found

    def command(self, queues: tuple[str, ...], room: int) -> Command:
        """What reserves up to *room* jobs of queues that share a slot."""
        if self._store.clock is not None:
            return self._build(queues, room)
        found = self._ready.get((queues, room))
        if found is None:
            if len(self._ready) >= KEPT:
                self._ready.clear()
            found = self._ready[queues, room] = self._build(queues, room)
        return found

    def take(self, queues: tuple[str, ...], room: int, reply: Any) -> list[Reserved]:
        """The jobs in a reply to `command`, and those behind a head that needs the client's hand."""
        found = self._read(queues, reply)
        while reply is not None and reply[1] >= 0:
            reply = self._take_next(queues, room, reply, found)
        return found

    def fill(self, found: list[Reserved], queues: tuple[str, ...], room: int) -> None:
        """Add to *found* what these queues have, up to *room* jobs together."""
        reply = self._ask(queues, room, found)
        if reply is not None:
            found += self.take(queues, room - len(found), reply)

    def _take_next(self, queues: tuple[str, ...], room: int, reply: Any, found: list[Reserved]) -> Any:
        """Reserve the head that stopped a script, then go on; the next reply, or None."""
        try:
            found += self._take_head(queues[reply[1]], reply[2])
        except QueuectlError:
            if not found:
                raise
            return None
        following = self._ask(queues, room, found)
        if following is not None:
            found += self._read(queues, following)
        return following

    def _ask(self, queues: tuple[str, ...], room: int, found: Sequence[Reserved]) -> Any:
        """The reply to another `command`, or None: jobs already found are not lost to a failure to get more."""
        if len(found) >= room:
            return None
        try:
            [reply] = self._store.run([self.command(queues, room - len(found))])
        except QueuectlError:
            if not found:
                raise
            return None
        return reply

    def seconds_until_due(self, queues: Sequence[str]) -> float:
        """Until a delayed job or a lease of these falls due, as far as the last look told; infinite if none will."""
        now = time.monotonic()
        return min((self._due.get(group, float("inf")) - now for group in self.groups(queues)), default=float("inf"))

    def renew(self, reservations: Sequence[Reserved]) -> list[Reserved]:
        """Fresh leases; returns those that are no longer ours."""
        by_queue: dict[str, list[Reserved]] = {}
        for reserved in reservations:
            by_queue.setdefault(reserved.queue, []).append(reserved)
        replies = self._store.run([self._renewal(name, some) for name, some in by_queue.items()])
        lost = {
            id(reserved)
            for kept, some in zip(replies, by_queue.values(), strict=True)
            for held, reserved in zip(kept, some, strict=True)
            if not held
        }
        return [reserved for reserved in reservations if id(reserved) in lost]

    def _renewal(self, queue: str, reservations: Sequence[Reserved]) -> Command:
        keys = self._store.names.queue(queue)
        tokens = [reserved.token for reserved in reservations]
        return call(RENEW, (keys.reserved, keys.scratch), (self._store.now(), self._lease, *tokens))

    def _build(self, queues: tuple[str, ...], room: int) -> Command:
        keys = [key for name in queues for key in self._store.names.queue(name).four]
        return call(RESERVE, keys, (self._store.now(), self._lease, b"%d" % room))

    def _read(self, queues: tuple[str, ...], reply: Any) -> list[Reserved]:
        if len(reply) == 3:
            self._remember_due(queues, reply)
            return []
        jobs = zip(reply[3::3], reply[4::3], reply[5::3], strict=True)
        return [
            Reserved(queues[place], id_in(member, attempts), unwrap(member), attempts, member)
            for place, attempts, member in jobs
        ]

    def _remember_due(self, queues: tuple[str, ...], reply: Any) -> None:
        if reply[0]:
            self._due[queues] = time.monotonic() + float(reply[0])
        else:
            self._due.pop(queues, None)

    def _take_head(self, queue: str, head: bytes) -> list[Reserved]:
        """Reserve a head whose counter is not at its tail, or whose twin is reserved; empty if another was faster."""
        attempts = attempts_of(head) + 1
        member = recounted(head, attempts)
        keys = self._store.names.queue(queue).four
        taken = self._store.call(TAKE, keys, (self._store.now(), self._lease, head, member))
        return [Reserved(queue, id_of(member), unwrap(member), attempts, member)] if taken else []
