"""A failed store and a key-value store in memory: the small halves of the reference driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from threading import RLock

from queuectl.clock import Clock
from queuectl.drivers.contract import FailedJob, FailedStore, Page
from queuectl.drivers.control import KeyValue
from queuectl.drivers.memory_removed import MemoryRemovedStore, Removed
from queuectl.jobs.fingerprint import fingerprint
from queuectl.jobs.outcome import FailedRecord

MESSAGE_LENGTH = 200
"""Characters of an exception's message that a listing shows."""


class MemoryFailedStore(FailedStore):
    """Failed jobs by a running number; *revive* pushes one into its queue again."""

    def __init__(
        self, lock: RLock, removed: MemoryRemovedStore, revive: Callable[[FailedRecord, str | None], None]
    ) -> None:
        self._lock = lock
        self._removed = removed
        self._revive = revive
        self._numbers = count(1)
        self._records: dict[str, FailedRecord] = {}

    def add(self, records: Sequence[FailedRecord]) -> None:
        with self._lock:
            for record in records:
                self._add(str(next(self._numbers)), record)

    def _add(self, number: str, record: FailedRecord) -> bool:
        """Whether it is the newest failure of its uuid, and therefore here now."""
        if any(self._records[key].failed_at > record.failed_at for key in self._keys([record.uuid])):
            return False
        self._take([record.uuid])
        self._records[number] = record
        return True

    def page(self, *, queue: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[FailedJob]:
        with self._lock:
            found = [
                _summary(key, record)
                for key, record in sorted(self._records.items(), key=lambda item: -int(item[0]))
                if queue in (None, record.queue) and (cursor is None or int(key) < int(cursor))
            ]
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)

    def get(self, key: str) -> FailedJob | None:
        with self._lock:
            return next((_whole(own, self._records[own]) for own in self._keys([key])), None)

    def count(self) -> int:
        with self._lock:
            return len(self._records)

    def retry(self, keys: Sequence[str], *, watch: str | None = None) -> list[str]:
        with self._lock:
            taken = self._take(keys)
            for record in taken.values():
                self._revive(record, watch)
            return [record.uuid for record in taken.values()]

    def forget(self, keys: Sequence[str], *, keep: str | None = None) -> list[str]:
        with self._lock:
            taken = self._take(keys)
            self._removed.keep(keep, [Removed(partial(self._add, *one), failed=True) for one in taken.items()])
            return [record.uuid for record in taken.values()]

    def flush(self, *, before: float | None = None, keep: str | None = None) -> int:
        with self._lock:
            old = [key for key, record in self._records.items() if before is None or record.failed_at <= before]
            return len(self.forget(old, keep=keep))

    def _take(self, keys: Sequence[str]) -> dict[str, FailedRecord]:
        return {key: self._records.pop(key) for key in self._keys(keys)}

    def _keys(self, keys: Sequence[str]) -> list[str]:
        """Our own keys of the records meant by these numbers or uuids, each once."""
        wanted = set(keys)
        return [key for key, record in self._records.items() if key in wanted or record.uuid in wanted]


def _summary(key: str, record: FailedRecord) -> FailedJob:
    return FailedJob(
        id=key,
        uuid=record.uuid,
        connection=record.connection,
        queue=record.queue,
        job=record.job,
        error=record.problem.type,
        message=record.problem.message.partition("\n")[0][:MESSAGE_LENGTH],
        attempts=record.attempts,
        failed_at=record.failed_at,
        fingerprint=fingerprint(record.job, record.problem),
        place=record.problem.place,
    )


def _whole(key: str, record: FailedRecord) -> FailedJob:
    return replace(_summary(key, record), payload=record.payload, text=record.problem.text)


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    until: float | None


class MemoryKeyValue(KeyValue):
    """Texts with an expiry, by the driver's clock."""

    def __init__(self, lock: RLock, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self._values: dict[str, _Value] = {}

    def put(self, key: str, value: str, ttl: float | None = None) -> None:
        with self._lock:
            self._values[key] = _Value(value, None if ttl is None else self._clock.now() + ttl)

    def put_new(self, key: str, value: str, ttl: float | None = None) -> bool:
        with self._lock:
            if self.get(key) is not None:
                return False
            self.put(key, value, ttl)
            return True

    def get(self, key: str) -> str | None:
        with self._lock:
            return self._living().get(key)

    def scan(self, prefix: str) -> dict[str, str]:
        with self._lock:
            return {key: text for key, text in self._living().items() if key.startswith(prefix)}

    def delete(self, key: str, *, holding: str | None = None) -> bool:
        with self._lock:
            held = self.get(key)
            if held is None or holding not in (None, held):
                return False
            del self._values[key]
            return True

    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        with self._lock:
            if self.put_new(key, str(by), ttl):
                return by
            former = self._values[key]
            self._values[key] = _Value(str(int(former.text) + by), former.until)
            return int(former.text) + by

    def _living(self) -> dict[str, str]:
        """What has not expired; what has is forgotten."""
        now = self._clock.now()
        self._values = {key: value for key, value in self._values.items() if value.until is None or value.until > now}
        return {key: value.text for key, value in self._values.items()}
