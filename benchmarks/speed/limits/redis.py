"""redis-py, with the fastest parser that is installed: a script that removes and takes in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

from speed.limits.limit import PAYLOAD, Limit

TURN = """
if ARGV[1] ~= '' then redis.call('zrem', KEYS[2], ARGV[1]) end
local next = redis.call('lpop', KEYS[1])
if next then redis.call('zadd', KEYS[2], ARGV[2], next) end
return next
"""
READY, TAKEN, LEASE = "work", "work:taken", "2000000000"
CHUNK = 1_000


class RedisLimit(Limit):
    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._script = str(self._client.script_load(TURN))
        self._count = 0

    def fill(self, count: int) -> None:
        for first in range(0, count, CHUNK):
            self._client.rpush(READY, *(f"{PAYLOAD}{number}" for number in range(first, min(first + CHUNK, count))))

    def turn(self, done: Sequence[Any], at_once: int) -> Sequence[Any]:
        if at_once == 1:
            found = self._client.evalsha(self._script, 2, READY, TAKEN, done[0] if done else "", LEASE)
            return [found] if found else []
        pipeline = self._client.pipeline(transaction=False)
        for one in [*done, *[""] * (at_once - len(done))]:
            pipeline.evalsha(self._script, 2, READY, TAKEN, one, LEASE)
        return [found for found in pipeline.execute() if found]

    def insert(self) -> None:
        self._client.rpush(READY, PAYLOAD)

    def close(self) -> None:
        self._client.close()
