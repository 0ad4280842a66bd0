"""The driver on Redis and Valkey: Laravel's keys, scripts that lose nothing, one trip from a job to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from queuectl.drivers.contract import (
    Counts,
    Driver,
    Page,
    Reserved,
    Settlement,
    State,
    Stored,
    Verdict,
    Watch,
)
from queuectl.drivers.control import ControlStore
from queuectl.drivers.redis.address import Address, parse
from queuectl.drivers.redis.cancelling import Cancelling
from queuectl.drivers.redis.cluster import Cluster
from queuectl.drivers.redis.connect import Connector
from queuectl.drivers.redis.facts import concerns, facts
from queuectl.drivers.redis.failed import RedisFailedStore
from queuectl.drivers.redis.failed_queues import FailedQueues
from queuectl.drivers.redis.finding import Finding
from queuectl.drivers.redis.keyvalue import RedisKeyValue
from queuectl.drivers.redis.lua_jobs import UNLOCK
from queuectl.drivers.redis.operating import Operating
from queuectl.drivers.redis.paging import Paging
from queuectl.drivers.redis.pushing import Pushing
from queuectl.drivers.redis.removed import RedisRemovedStore
from queuectl.drivers.redis.reserving import Reserving
from queuectl.drivers.redis.servers import OneServer, SentinelService, Servers
from queuectl.drivers.redis.settling import Settling, is_plain
from queuectl.drivers.redis.store import Store, raise_first
from queuectl.drivers.redis.texts import raw
from queuectl.drivers.redis.watch import RedisWatch
from queuectl.drivers.redis.wire import Command, command
from queuectl.errors import QueuectlError
from queuectl.jobs.outcome import Entry, Failed, Release

if TYPE_CHECKING:
    from queuectl.clock import Clock
    from queuectl.config import Connection
    from queuectl.drivers.concern import Concern

PARKED_MEMORY = 7 * 86_400.0
"""Seconds for which it is at least remembered since when a job is parked."""


class RedisDriver(Driver):
    """Queues on one Redis, behind Sentinels, or on a cluster."""

    def __init__(self, connection: Connection, clock: Clock | None = None) -> None:
        self.name = connection.name
        self.retry_after = connection.retry_after
        timeout = min(connection.timeout, connection.retry_after / 3)
        self._address = address = parse(connection.url)
        prefix = f" (prefix {connection.prefix})" if connection.prefix else ""
        self._place = f"{address.place}{prefix}"
        self._store = Store(_servers(address, timeout), prefix=connection.prefix, clock=clock, place=self._place)
        self._pushing = Pushing(self._store, connection.max_payload)
        memory = max(PARKED_MEMORY, 2 * connection.unknown_job_grace)
        self._reserving = Reserving(self._store, lease=connection.retry_after)
        self._settling = Settling(self._store, self._pushing, self._reserving, parked_memory=memory)
        self._operating = Operating(self._store, patience=timeout)
        self._paging = Paging(self._store)
        self._finding = Finding(self._store, self._operating)
        self._failed_queues = FailedQueues(self._store)
        self.removed = removed = RedisRemovedStore(self._store, self._failed_queues)
        self.failed = RedisFailedStore(self._store, self._failed_queues, removed)
        self._cancelling = Cancelling(self._store, removed)
        self.control = ControlStore(RedisKeyValue(self._store))

    @classmethod
    def from_config(cls, connection: Connection, *, clock: Clock | None = None) -> RedisDriver:
        return cls(connection, clock)

    @property
    def place(self) -> str:
        return self._place

    def check(self) -> None:
        """Reach the server with a command of each kind that a worker needs."""
        self._store.run([command(b"PING")])
        self._operating.counts(["default"])

    def push(self, entries: Sequence[Entry]) -> list[str]:
        if not entries:
            return []
        queues = self._pushing.check(entries)
        if notes := self._operating.note(queues):
            self._store.run(notes)
            self._operating.noted(queues)
        return self._pushing.push(entries)

    def unlock(self, queue: str, key: str, *, holder: str) -> bool:
        where = self._store.names.unique(self._store.names.queue(queue), key)
        return bool(self._store.call(UNLOCK, [where], [raw(holder)]))

    # The hot path

    def exchange(
        self, settlements: Sequence[Settlement], queues: Sequence[str], room: int
    ) -> tuple[list[Verdict], list[Reserved]]:
        groups = self._reserving.groups(queues) if room > 0 else []
        steps = self._settling.steps(settlements)
        notes = self._prepare(settlements)
        sent = [*notes, *[step.command for step in steps if step.command is not None]]
        if groups:
            sent.append(self._reserving.command(groups[0], room))
        replies = self._store.ask(sent)
        reserved = self._reserved(groups, room, replies)
        try:
            raise_first(replies)
            return self._settling.verdicts(steps, replies[len(notes) :]), reserved
        except QueuectlError:
            self._give_back(reserved)
            raise

    def _prepare(self, settlements: Sequence[Settlement]) -> list[Command]:
        """Make durable what must be so before these are, and return what must travel in front of them."""
        special = [one for one in settlements if not is_plain(one.outcome)]
        if not special:
            return []
        self._store.run(self._settling.forerunners(special))
        return [self._failed_queues.note(queue) for queue in {one.reserved.queue for one in special if _is_failed(one)}]

    def _reserved(self, groups: Sequence[tuple[str, ...]], room: int, replies: list[Any]) -> list[Reserved]:
        """The jobs in the trip's last reply, then of the other groups, one after the other: the order is strict."""
        if not groups or isinstance(replies[-1], QueuectlError):
            return []
        found = self._reserving.take(groups[0], room, replies[-1])
        for group in groups[1:]:
            self._reserving.fill(found, group, room)
        return found

    def _give_back(self, reserved: Sequence[Reserved]) -> None:
        """A call that raises hands out nothing: jobs that came with the failure go back, as if never reserved."""
        back = [self._settling.command(Settlement(one, Release(spared=True))) for one in reserved]
        with suppress(QueuectlError):  # they then come back when their lease ends
            self._store.ask([one for one in back if one is not None])

    def renew(self, reservations: Sequence[Reserved]) -> list[Reserved]:
        return self._reserving.renew(reservations) if reservations else []

    def parked_for(self, reserved: Reserved) -> float:
        return self._settling.parked_for(reserved)

    def watch(self, queues: Sequence[str]) -> Watch:
        return RedisWatch(self._store, self._reserving, queues)

    # Operating

    def counts(self, queues: Iterable[str] | None = None) -> dict[str, Counts]:
        return self._operating.counts(queues)

    def page(self, queue: str, state: State, *, cursor: str | None = None, limit: int = 100) -> Page[Stored]:
        return self._paging.page(queue, state, cursor=cursor, limit=limit)

    def find(self, keys: Sequence[str]) -> list[Stored]:
        return self._finding.find(keys) if keys else []

    def cancel(self, jobs: Sequence[Stored], *, keep: str | None = None) -> list[Stored]:
        return self._cancelling.cancel(jobs, keep=keep)

    def clear(self, queue: str, *, keep: str | None = None) -> int:
        return self._cancelling.clear(queue, keep=keep)

    def about(self) -> Mapping[str, str]:
        return facts(self._store)

    def concerns(self) -> Sequence[Concern]:
        return concerns(self._store, self._address)

    def now(self) -> float:
        return self._operating.now()

    def close(self) -> None:
        self._store.servers.close()


def _is_failed(settlement: Settlement) -> bool:
    return isinstance(settlement.outcome, Failed)


def _servers(address: Address, timeout: float) -> Servers:
    connector = Connector(address, timeout)
    if address.kind == "sentinel":
        return SentinelService(connector)
    if address.kind == "cluster":
        return Cluster(connector)
    return OneServer(connector)
