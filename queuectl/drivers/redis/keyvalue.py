"""The control store's six primitives on Redis: a hash and its expiries for each class of keys (`mark:`, `beat:`, …).

Expiry is ours, by the store's clock, so that a scan reads one small hash and never the keyspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queuectl.drivers.control import KeyValue
from queuectl.drivers.redis.lua import Script
from queuectl.drivers.redis.lua_control import DELETE, GET, INCREMENT, PUT, PUT_NEW, SCAN
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import raw, told
from queuectl.drivers.redis.wire import command, number


class RedisKeyValue(KeyValue):
    def __init__(self, store: Store) -> None:
        self._store = store
        self._classes = store.names.control("classes")

    def put(self, key: str, value: str, ttl: float | None = None) -> None:
        self._write(PUT, key, value, ttl)

    def put_new(self, key: str, value: str, ttl: float | None = None) -> bool:
        return bool(self._write(PUT_NEW, key, value, ttl))

    def get(self, key: str) -> str | None:
        found = self._call(GET, class_of(key), (raw(key),))
        return None if found is None else told(found)

    def scan(self, prefix: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in self._classes_of(prefix):
            reply = self._call(SCAN, name, (raw(prefix),))
            found |= {told(key): told(value) for key, value in zip(reply[::2], reply[1::2], strict=True)}
        return found

    def delete(self, key: str, *, holding: str | None = None) -> bool:
        expected = (b"0", b"") if holding is None else (b"1", raw(holding))
        return bool(self._call(DELETE, class_of(key), (raw(key), *expected)))

    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        return int(self._call(INCREMENT, class_of(key), (raw(key), b"%d" % by, _seconds(ttl), raw(class_of(key)))))

    def _write(self, script: Script, key: str, value: str, ttl: float | None) -> Any:
        name = class_of(key)
        return self._call(script, name, (raw(key), raw(value), _seconds(ttl), raw(name)))

    def _call(self, script: Script, name: str, args: Sequence[bytes]) -> Any:
        keys = (self._store.names.control(f"{name}:values"), self._store.names.control(f"{name}:expiries"))
        return self._store.call(script, (*keys, self._classes), (self._store.now(), *args))

    def _classes_of(self, prefix: str) -> list[str]:
        if ":" in prefix:
            return [class_of(prefix)]
        [names] = self._store.run([command(b"SMEMBERS", self._classes)])
        return sorted(told(name) for name in names)


def class_of(key: str) -> str:
    """What stands before the first colon."""
    return key.partition(":")[0]


def _seconds(ttl: float | None) -> bytes:
    return b"" if ttl is None else number(ttl)
