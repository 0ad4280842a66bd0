"""What lies in a queue, page by page. A cursor names the last job shown, so that jobs which come or go meanwhile
neither hide others nor show them twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from queuectl.drivers.contract import Page, State, Stored
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_operator import NOW
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import attempts_of, digest, id_of, ready_since, unwrap
from queuectl.drivers.redis.wire import command, number

SLICE = 100
HEAD = 256
"""Bytes of a member that a cursor remembers; sorted sets order equal scores by bytes."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last job shown: where it lay, and how to know it again."""

    part: str
    """`list` or `set`."""
    at: float
    """Its index or score."""
    head: str
    digest: str

    def to_text(self) -> str:
        return json.dumps([self.part, self.at, self.head, self.digest])

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        return cls(*json.loads(text))


@dataclass(frozen=True, slots=True)
class _Found:
    stored: Stored
    cursor: Cursor


class Paging:
    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, queue: str, state: State, *, cursor: str | None, limit: int) -> Page[Stored]:
        keys = self._store.names.queue(queue)
        after = None if cursor is None else Cursor.from_text(cursor)
        found = list(islice(self._walk(keys, state, after), limit + 1))
        shown = found[:limit]
        return Page([one.stored for one in shown], shown[-1].cursor.to_text() if len(found) > limit else None)

    def _walk(self, keys: QueueKeys, state: State, after: Cursor | None) -> Iterator[_Found]:
        now = float(self._store.call(NOW, (keys.list,), (self._store.now(),)))
        if state == "reserved":
            yield from self._set(keys, keys.reserved, state, after, b"-inf", b"+inf")
        elif state == "delayed":
            yield from self._set(keys, keys.delayed, state, after, b"(" + number(now), b"+inf")
        else:
            if after is None or after.part == "list":
                yield from self._list(keys, after, now)
                after = None
            yield from self._set(keys, keys.delayed, state, after, b"-inf", number(now))  # due, and not moved yet

    def _list(self, keys: QueueKeys, after: Cursor | None, now: float) -> Iterator[_Found]:
        index = 0 if after is None else self._place_after(keys, after)
        while members := self._range(keys, index, index + SLICE - 1):
            for member in members:
                since = ready_since(member[-400:])
                cursor = Cursor("list", index, "", digest(member))
                yield _Found(_stored(keys, member, "ready", now if since is None else since), cursor)
                index += 1

    def _place_after(self, keys: QueueKeys, after: Cursor) -> int:
        """Jobs leave a list at its head, so the last one shown is where it was or nearer to the head, or gone."""
        end = int(after.at)
        while end >= 0:
            start = max(0, end - SLICE + 1)
            members = self._range(keys, start, end)
            for offset in range(len(members) - 1, -1, -1):
                if digest(members[offset]) == after.digest:
                    return start + offset + 1
            end = start - 1
        return 0

    def _range(self, keys: QueueKeys, start: int, end: int) -> list[bytes]:
        [members] = self._store.run([command(b"LRANGE", keys.list, args=(b"%d" % start, b"%d" % end))])
        found: list[bytes] = members
        return found

    def _set(
        self, keys: QueueKeys, key: bytes, state: State, after: Cursor | None, least: bytes, most: bytes
    ) -> Iterator[_Found]:
        if after is not None:
            least = number(after.at)
        offset = 0
        while reply := self._scores(key, least, most, offset):
            for member, text in zip(reply[::2], reply[1::2], strict=True):
                score = float(text)
                if after is None or _stands_after(score, member, after):
                    cursor = Cursor("set", score, _head(member), digest(member))
                    yield _Found(_stored(keys, member, state, score), cursor)
            offset += SLICE

    def _scores(self, key: bytes, least: bytes, most: bytes, offset: int) -> list[bytes]:
        args = (least, most, b"WITHSCORES", b"LIMIT", b"%d" % offset, b"%d" % SLICE)
        [reply] = self._store.run([command(b"ZRANGEBYSCORE", key, args=args)])
        found: list[bytes] = reply
        return found


def _stands_after(score: float, member: bytes, cursor: Cursor) -> bool:
    if score != cursor.at:
        return score > cursor.at
    head = _head(member)
    return head > cursor.head if head != cursor.head else digest(member) != cursor.digest


def _head(member: bytes) -> str:
    return member[:HEAD].decode("latin-1")


def _stored(keys: QueueKeys, member: bytes, state: State, at: float) -> Stored:
    return Stored(keys.name, id_of(member), unwrap(member), attempts_of(member), state, at)
