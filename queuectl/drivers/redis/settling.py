"""Outcomes as commands: each atomic alone, each worthless under a stale token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple, assert_never

from queuectl.drivers.contract import Reserved, Settlement, Verdict
from queuectl.drivers.redis.keys import QueueKeys
from queuectl.drivers.redis.lua_failed import FAIL
from queuectl.drivers.redis.lua_jobs import FINISH, FORGET, RELEASE
from queuectl.drivers.redis.lua_operator import NOW
from queuectl.drivers.redis.pushing import CENTURY, Pushing, batch
from queuectl.drivers.redis.reserving import Reserving
from queuectl.drivers.redis.rows import row_of, stored_text
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.texts import digest, mark_of, raw, recounted
from queuectl.drivers.redis.wire import Command, call, command, number
from queuectl.jobs.outcome import Completed, Done, Entry, Failed, Outcome, Parked, Release
from queuectl.jobs.payload import identity

TWIN = -1
ZREM = b"*3\r\n$4\r\nZREM\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n"
MOST_AT_ONCE = 500
"""Jobs that one command forgets: others want their turn."""


class Step(NamedTuple):
    """A command, and the settlements that its reply is about."""

    command: Command | None
    """None: there is nothing to do in the store."""
    settlements: Sequence[Settlement]


class Settling:
    """Turns settlements into commands, and replies into verdicts."""

    def __init__(self, store: Store, pushing: Pushing, reserving: Reserving, *, parked_memory: float) -> None:
        self._store = store
        self._pushing = pushing
        self._reserving = reserving
        self._parked_memory = number(parked_memory)
        """Seconds for which it is remembered since when a job is parked."""

    def steps(self, settlements: Sequence[Settlement]) -> list[Step]:
        """What makes these outcomes durable, in order. Neighbours that are only to be forgotten share a command."""
        if len(settlements) < 2:
            return [Step(self.command(one), settlements) for one in settlements]
        found: list[Step] = []
        for queue, run in groupby(settlements, _forgotten_in):
            if queue:
                found += self._forgetting(queue, list(run))
            else:
                found += [Step(self.command(one), (one,)) for one in run]
        return found

    def _forgetting(self, queue: str, settlements: Sequence[Settlement]) -> Iterator[Step]:
        reserved = self._store.names.queue(queue).reserved
        for start in range(0, len(settlements), MOST_AT_ONCE):
            some = settlements[start : start + MOST_AT_ONCE]
            yield Step(call(FORGET, (reserved,), [one.reserved.token for one in some]), some)

    def verdicts(self, steps: Sequence[Step], replies: Iterable[Any]) -> list[Verdict]:
        """One for each settlement, in order."""
        found: list[Verdict] = []
        answers = iter(replies)
        for sent, settlements in steps:
            if sent is None:
                found.append(Verdict.APPLIED)
                continue
            reply = next(answers)
            if isinstance(reply, list):
                found += [Verdict.APPLIED if held else Verdict.GONE for held in reply]
            else:
                found.append(self._verdict(settlements[0], reply))
        return found

    def command(self, settlement: Settlement) -> Command | None:
        """What makes this outcome durable; None if nothing needs to be sent."""
        reserved, outcome = settlement.reserved, settlement.outcome
        queue = self._store.names.queue(reserved.queue)
        if is_plain(outcome):
            key, token = queue.reserved, reserved.token
            return Command((key,), ZREM % (len(key), key, len(token), token))
        match outcome:
            case Done():
                return self._finish(queue, reserved, outcome)
            case Release():
                return self._release(queue, reserved, outcome.after, spared=outcome.spared)
            case Parked():
                return self._release(queue, reserved, outcome.after, spared=True, parked=True)
            case Failed():
                return self._fail(queue, reserved, outcome)
            case Completed():
                return None
            case _:
                assert_never(outcome)

    def _verdict(self, settlement: Settlement, reply: Any) -> Verdict:
        """What the reply says; a release that would have merged with its twin is sent again under a new `id`."""
        if reply == 1:
            return Verdict.APPLIED
        if reply == TWIN and isinstance(settlement.outcome, Release):
            queue, reserved = self._store.names.queue(settlement.reserved.queue), settlement.reserved
            text = recounted(reserved.token, reserved.attempts)
            [reply] = self._store.run([self._move(queue, reserved, settlement.outcome.after, text=text, spared=False)])
        return Verdict.APPLIED if reply == 1 else Verdict.GONE

    def parked_for(self, reserved: Reserved) -> float:
        """Seconds since this job was first parked; 0 if it never was."""
        queue = self._store.names.queue(reserved.queue)
        since = command(b"ZSCORE", queue.parked, args=(mark_of(reserved.payload),))
        score, now = self._store.run([since, call(NOW, (queue.parked,), (self._store.now(),))])
        return 0.0 if score is None else max(float(now) - float(score), 0.0)

    def forerunners(self, settlements: Sequence[Settlement]) -> list[Command]:
        """What must be durable before the rest is sent: follow-ups that lie on another node than the job they follow.

        Only of jobs that are still held, with a fresh lease, so that they stay held until they are settled. Pushed
        under a mark of the reservation, so that a settlement that is sent twice pushes them once.
        """
        apart = [(one.reserved, entries) for one in settlements if (entries := self._apart_of(one))]
        if not apart:
            return []
        lost = {id(reserved) for reserved in self._reserving.renew([reserved for reserved, _ in apart])}
        return [
            command
            for reserved, entries in apart
            if id(reserved) not in lost
            for command in self._pushing.once(entries, digest(reserved.token))
        ]

    def _apart_of(self, settlement: Settlement) -> list[Entry]:
        outcome = settlement.outcome
        return self._apart(settlement.reserved, outcome.then) if isinstance(outcome, Done) else []

    def _finish(self, queue: QueueKeys, reserved: Reserved, done: Done) -> Command:
        self._pushing.check(done.then)
        apart = self._apart(reserved, done.then)
        entries = [entry for entry in done.then if entry not in apart]
        unlock = [self._store.names.unique(queue, key) for key in done.unlock]
        found = batch(self._store, entries, unique_from=2 + len(unlock))
        head = [
            *(self._store.now(), reserved.token, _holder(reserved.payload)),
            *(b"%d" % len(found.queues), b"%d" % len(unlock)),
        ]
        return call(FINISH, [queue.reserved, *found.queue_keys, *unlock, *found.unique], [*head, *found.args])

    def _apart(self, reserved: Reserved, entries: Sequence[Entry]) -> list[Entry]:
        """Those that no script can push in the same step as it removes this job."""
        servers, names = self._store.servers, self._store.names
        here = servers.slot(names.queue(reserved.queue).list)
        return [entry for entry in entries if servers.slot(names.queue(entry.queue).list) != here]

    def _release(
        self, queue: QueueKeys, reserved: Reserved, after: float, *, spared: bool, parked: bool = False
    ) -> Command:
        """A spared attempt is taken off the counter, so the text gets a new `id`: no two attempts may look alike."""
        text = recounted(reserved.token, max(reserved.attempts - 1, 0)) if spared else b""
        return self._move(queue, reserved, after, text=text, spared=spared, parked=parked)

    def _move(
        self, queue: QueueKeys, reserved: Reserved, after: float, *, text: bytes, spared: bool, parked: bool = False
    ) -> Command:
        """One that has been tried is parked no more; one that was only held is as parked as before."""
        wait = number(min(max(after, 0.0), CENTURY))
        whose = mark_of(reserved.payload) if parked or not spared else b""
        args = (self._store.now(), reserved.token, wait, text, whose, self._parked_memory if parked else b"")
        return call(RELEASE, (*queue.four, queue.parked), args)

    def _fail(self, queue: QueueKeys, reserved: Reserved, failed: Failed) -> Command:
        record = failed.record
        keys = [queue.reserved, *queue.failed, *(self._store.names.unique(queue, key) for key in failed.unlock)]
        row, text = row_of(record), stored_text(record)
        args = (reserved.token, raw(record.uuid), number(record.failed_at), row, record.payload, text)
        return call(FAIL, keys, args)


def _forgotten_in(settlement: Settlement) -> str:
    """Its queue, if all there is to do is to forget it; else empty."""
    return settlement.reserved.queue if is_plain(settlement.outcome) else ""


def is_plain(outcome: Outcome) -> bool:
    return type(outcome) is Done and not (outcome.then or outcome.unlock)


def _holder(payload: bytes) -> bytes:
    """Under which uuid a payload's unique keys are held; empty where it tells none."""
    uuid, display = identity(payload)
    return raw(uuid) if display else b""
