"""Wakes an idle worker: a blocking pop on the `notify` lists, on connections of their own.

Never on the jobs themselves: a job handed to a client that has just died would be lost; a token would not.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Sequence
from typing import Any

from redis.exceptions import RedisError

from queuectl.drivers.redis.faults import translate
from queuectl.drivers.redis.reserving import Reserving
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.wire import Link, pack
from queuectl.errors import DriverUnavailable

BLOCK = 2.0
"""Seconds after which the server gives up waiting, and is asked anew."""
CHECK = 1.0
SOON = 0.001


class RedisWatch:
    """One waiting connection for the queues of each slot; outside a cluster that is one."""

    def __init__(self, store: Store, reserving: Reserving, queues: Sequence[str]) -> None:
        self._store = store
        self._reserving = reserving
        self._queues = tuple(dict.fromkeys(queues))
        self._arms: list[_Arm] = []
        self._selector: selectors.BaseSelector | None = None
        self._check_at = 0.0
        self._allowed = True

    def fileno(self) -> int | None:
        """The one socket, or a descriptor that stands for several."""
        if len(self._arms) == 1:
            return self._arms[0].fileno()
        return self._fileno_of_many() if self._arms else None

    def next_check_in(self) -> float:
        now = time.monotonic()
        due = max(self._reserving.seconds_until_due(self._queues), SOON)
        wait = min(CHECK, due)
        try:
            self._arm()
        except (RedisError, OSError):
            self.close()  # until the server is back, looking once a second has to do
        self._check_at = now + wait
        return wait

    def drain(self) -> bool:
        try:
            news = [arm.drain() for arm in self._arms]
        except (RedisError, OSError) as error:
            self._give_up(error)
            return True
        return any(news) or time.monotonic() >= self._check_at

    def close(self) -> None:
        if self._selector is not None:
            self._selector.close()
            self._selector = None
        for arm in self._arms:
            arm.close()
        self._arms = []

    def _give_up(self, error: Exception) -> None:
        """Until the next wait, or for good where waiting is not allowed: then looking once a second has to do."""
        self.close()
        meaning = translate(error, self._store.place)
        if isinstance(meaning, DriverUnavailable):
            self._store.servers.reset()
            raise meaning from error
        self._allowed = False

    def _arm(self) -> None:
        if not self._arms and self._allowed:
            self._arms = [self._open(group) for group in self._reserving.groups(self._queues)]
        opened = [arm.arm() for arm in self._arms]
        if any(opened) and self._selector is not None:  # other descriptors now
            self._selector.close()
            self._selector = None

    def _open(self, queues: Sequence[str]) -> _Arm:
        keys = [self._store.names.queue(name).notify for name in queues]
        return _Arm(self._store.servers.waiting(keys[0], BLOCK), keys)

    def _fileno_of_many(self) -> int | None:
        """epoll and kqueue have a descriptor of their own that another selector can wait for."""
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
            for arm in self._arms:
                self._selector.register(arm.fileno(), selectors.EVENT_READ)
        return self._selector.fileno() if isinstance(self._selector, _HasFileno) else None


_HasFileno: Any = tuple(
    getattr(selectors, name)
    for name in ("EpollSelector", "KqueueSelector", "DevpollSelector")
    if hasattr(selectors, name)
)


class _Arm:
    """A connection that waits for a token."""

    def __init__(self, link: Link, keys: Sequence[bytes]) -> None:
        self._link = link
        self._question = pack(b"BLPOP", *keys, b"%d" % BLOCK)
        self._asked_at: float | None = None
        self._opened = False

    def fileno(self) -> int:
        return self._link.fileno()

    def arm(self) -> bool:
        """Ask, unless a question is out already; whether that opened a new connection."""
        now = time.monotonic()
        if self._asked_at is not None and now - self._asked_at > BLOCK + CHECK + 3:
            self.close()  # an answer so late will not come: the server vanished without a word
        if self._asked_at is not None:
            return False
        opens = not self._opened
        self._link.connection.send_packed_command([self._question], check_health=False)
        self._asked_at, self._opened = now, True
        return opens

    def drain(self) -> bool:
        """Take the answer if it is there; whether it was a token."""
        if self._asked_at is None or not self._link.connection.can_read(0):
            return False
        self._asked_at = None
        return self._link.connection.read_response() is not None

    def close(self) -> None:
        self._asked_at, self._opened = None, False
        self._link.close()
