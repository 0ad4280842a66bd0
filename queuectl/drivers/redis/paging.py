"""What lies in a queue, page by page. A cursor names the next job to show, so that jobs which come or go meanwhile,
those of the page just shown among them, neither hide others nor show them twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from math import inf, nextafter

from queuectl.drivers.contract import Page, State, Stored
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_looking import FROM
from queuectl.drivers.redis.lua_operator import NOW
from queuectl.drivers.redis.lying import Lying, told_of
from queuectl.drivers.redis.slices import Stride
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import digest
from queuectl.drivers.redis.wire import command, number

SLICE = 100
HEAD = 256
"""Bytes of a member that a cursor remembers; sorted sets order equal scores by bytes."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next job to show: where it lay, and how to know it again."""

    part: str
    """`list` or `set`."""
    at: float
    """Its index or score."""
    head: str = ""
    digest: str = ""

    def to_text(self) -> str:
        return json.dumps([self.part, self.at, self.head, self.digest])

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        return cls(*json.loads(text))


@dataclass(frozen=True, slots=True)
class _Found:
    job: Lying
    cursor: Cursor


class Paging:
    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, queue: str, state: State, *, cursor: str | None, limit: int) -> Page[Stored]:
        keys = self._store.names.queue(queue)
        start = None if cursor is None else Cursor.from_text(cursor)
        found = list(islice(self._walk(keys, state, start), limit + 1))
        items = told_of(self._store, [one.job for one in found[:limit]])
        return Page(items, found[limit].cursor.to_text() if len(found) > limit else None)

    def _walk(self, keys: QueueKeys, state: State, start: Cursor | None) -> Iterator[_Found]:
        now = float(self._store.call(NOW, (keys.list,), (self._store.now(),)))
        if state == "reserved":
            yield from self._set(keys, keys.reserved, state, start or Cursor("set", -inf))
        elif state == "delayed":
            yield from self._set(keys, keys.delayed, state, start or Cursor("set", nextafter(now, inf)))
        else:
            if start is None or start.part == "list":
                yield from self._list(keys, start, now)
                start = Cursor("set", -inf)
            due = self._set(keys, keys.delayed, state, start)  # and not moved yet
            yield from takewhile(lambda found: found.job.at <= now, due)

    def _list(self, keys: QueueKeys, start: Cursor | None, now: float) -> Iterator[_Found]:
        index, stride = 0 if start is None else self._place_of(keys, start), Stride()
        while members := self._range(keys, index, index + stride.jobs - 1):
            for member in members:
                yield _Found(Lying.listed(keys, member, now), Cursor("list", index, "", digest(member)))
                index += 1
            stride.adapt(sum(map(len, members)))

    def _place_of(self, keys: QueueKeys, start: Cursor) -> int:
        """Jobs leave a list at its head, so the next one to show is where it was or nearer to the head. If it is gone,
        so is all that was before it; unless somebody cancelled it, and then some are shown twice rather than none."""
        end = int(start.at)
        while end >= 0:
            begin = max(0, end - SLICE + 1)
            members = self._range(keys, begin, end)
            for offset in range(len(members) - 1, -1, -1):
                if digest(members[offset]) == start.digest:
                    return begin + offset
            end = begin - 1
        return 0

    def _range(self, keys: QueueKeys, first: int, last: int) -> list[bytes]:
        [members] = self._store.run([command(b"LRANGE", keys.list, args=(b"%d" % first, b"%d" % last))])
        found: list[bytes] = members
        return found

    def _set(self, keys: QueueKeys, key: bytes, state: State, start: Cursor) -> Iterator[_Found]:
        at, member, stride = start.at, start.head.encode("latin-1"), Stride()
        while reply := self._store.call(FROM, (key,), (number(at), member, b"%d" % stride.jobs)):
            for member, text in zip(reply[::2], reply[1::2], strict=True):
                at = float(text)
                yield _Found(Lying(keys, member, state, at), Cursor("set", at, _head(member)))
            member += b"\0"  # the next one there could be
            stride.adapt(sum(map(len, reply)))


def _head(member: bytes) -> str:
    return member[:HEAD].decode("latin-1")
