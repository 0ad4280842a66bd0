"""What operators ask: which queues there are, and how full they are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from queuectl.drivers.contract import Counts
from queuectl.drivers.redis.keys import LARAVEL, QueueKeys
from queuectl.drivers.redis.lua_operator import COUNTS
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import ready_since, told
from queuectl.drivers.redis.wire import Command, call, command, pack
from queuectl.errors import ConfigurationError, QueuectlError

SCANNED = b"1000"
GLOB = b"*?[]\\"


class Operating:
    def __init__(self, store: Store, *, patience: float) -> None:
        self._store = store
        self._patience = patience
        """Seconds that the search for queues nobody told us of may take, in a Redis full of other keys."""
        self._index = store.names.control("queues")
        self._noted: set[str] = set()

    def note(self, queues: Iterable[str]) -> list[Command]:
        """What tells operators of queues that this process has not pushed to before."""
        return [command(b"SADD", self._index, args=(name.encode(),)) for name in queues if name not in self._noted]

    def noted(self, queues: Iterable[str]) -> None:
        self._noted.update(queues)

    def counts(self, queues: Iterable[str] | None) -> dict[str, Counts]:
        """Of these queues; without names, of every queue that holds anything."""
        if queues is not None:
            names = list(dict.fromkeys(queues))
            replies = self._store.run([self._count(name) for name in names])
            return {name: self._read(name, reply) for name, reply in zip(names, replies, strict=True)}
        names = self.queues()
        found: dict[str, Counts] = {}
        for name, reply in zip(names, self._store.ask([self._count(name) for name in names]), strict=True):
            if isinstance(reply, ConfigurationError):
                continue  # a key that is called like a queue and is not one
            if isinstance(reply, QueuectlError):
                raise reply
            counts = self._read(name, reply)
            if counts.size:
                found[name] = counts
        return found

    def now(self) -> float:
        """Of a cluster, the first server's time."""
        if self._store.clock is not None:
            return self._store.clock.now()
        seconds, microseconds = self._store.ask_node(self._store.servers.masters()[0], pack(b"TIME"))
        return int(seconds) + int(microseconds) / 1e6

    def _count(self, queue: str) -> Command:
        return call(COUNTS, self._store.names.queue(queue).four, (self._store.now(),))

    def _read(self, queue: str, reply: Any) -> Counts:
        ready, due, delayed, reserved, tail, first_due = reply
        oldest = [] if not ready else [self._ready_since(self._store.names.queue(queue), tail)]
        oldest += [float(first_due)] if due else []
        return Counts(ready + due, delayed, reserved, min((at for at in oldest if at is not None), default=None))

    def _ready_since(self, keys: QueueKeys, tail: bytes) -> float | None:
        """A foreign head may tell it elsewhere than at its tail."""
        found = ready_since(tail)
        if found is None:
            [head] = self._store.run([command(b"LINDEX", keys.list, args=(b"0",))])
            found = ready_since(head or b"")
        return found

    def known(self) -> list[str]:
        """The queues we were told of."""
        [noted] = self._store.run([command(b"SMEMBERS", self._index)])
        return sorted(map(told, noted))

    def queues(self) -> list[str]:
        """The queues we were told of, and those that keys speak of."""
        return sorted({*self.known(), *self._discovered()})

    def _discovered(self) -> Iterator[str]:
        names = self._store.names
        escaped = b"".join(b"\\" + bytes([byte]) if byte in GLOB else bytes([byte]) for byte in names.prefix)
        deadline = time.monotonic() + self._patience
        for node in self._store.servers.masters():
            cursor = b"0"
            while True:
                scan = pack(b"SCAN", cursor, b"MATCH", escaped + LARAVEL + b"*", b"COUNT", SCANNED)
                cursor, keys = self._store.ask_node(node, scan)
                yield from (name for key in keys if (name := names.discovered(key)) is not None)
                if cursor == b"0" or time.monotonic() > deadline:
                    break
