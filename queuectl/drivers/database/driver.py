"""The database driver: Laravel's `jobs` table on SQLite, PostgreSQL, MySQL and MariaDB."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING

from queuectl.drivers.contract import (
    Counts,
    Driver,
    Joined,
    Page,
    Reserved,
    Settlement,
    State,
    Stored,
    Verdict,
    Watch,
)
from queuectl.drivers.control import ControlStore
from queuectl.drivers.database import finding, listing, removing, texts
from queuectl.drivers.database.address import Address, parse
from queuectl.drivers.database.entries import push, unlock
from queuectl.drivers.database.failed import SqlFailedStore
from queuectl.drivers.database.grammar import Grammar
from queuectl.drivers.database.keyvalue import SqlKeyValue
from queuectl.drivers.database.removed import SqlRemovedStore
from queuectl.drivers.database.removing import Keep
from queuectl.drivers.database.renewing import renew
from queuectl.drivers.database.rows import body
from queuectl.drivers.database.session import Engine, Haul, Row, Session, Turn
from queuectl.drivers.database.sessions import Sessions
from queuectl.drivers.database.settle import merged, plain_tokens, settle_all
from queuectl.drivers.database.sweeper import Sweeper
from queuectl.drivers.database.watch import Pulse
from queuectl.errors import ConfigurationError, DriverUnavailable, PayloadTooLarge
from queuectl.jobs.outcome import Done, Entry
from queuectl.jobs.payload import check_queue_name

if TYPE_CHECKING:
    from queuectl.clock import Clock
    from queuectl.config import Connection
    from queuectl.drivers.concern import Concern
    from queuectl.drivers.database.joining import Joining
    from queuectl.transactions import Caller

LONGEST_CALL = 5.0


class DatabaseDriver(Driver):
    """One SQL database as a store of queues."""

    def __init__(self, connection: Connection, clock: Clock | None) -> None:
        address = parse(connection.url)
        self.name = connection.name
        self.retry_after = connection.retry_after
        self.call_timeout = min(LONGEST_CALL, connection.timeout, connection.retry_after / 3)
        self._place = f"{address.place} ({connection.table})" if connection.table != "jobs" else address.place
        self._max_payload = connection.max_payload
        self._largest: int | None = None
        self._dialect = address.dialect
        self._clock = clock
        self._grammar = Grammar(
            self._dialect, jobs=connection.table, failed=connection.failed_table, bound=clock is not None
        )
        self._engine = engine_for(connection, address, clock, timeout=self.call_timeout)
        self._sessions = Sessions(
            self._engine, place=address.place, secret=address.password, patience=self.call_timeout
        )
        self._sweeper = Sweeper(lease=self.retry_after, foreign_retry_after=connection.foreign_retry_after, clock=clock)
        self._pulse = Pulse()
        self._removed = SqlRemovedStore(
            self._sessions, jobs=connection.table, failed=connection.failed_table, returned=Session.announce
        )
        self.removed = self._removed
        self.failed = SqlFailedStore(self._sessions, self._removed, retried=Session.announce)
        self.control = ControlStore(SqlKeyValue(self._sessions))

    @classmethod
    def from_config(cls, connection: Connection, *, clock: Clock | None = None) -> DatabaseDriver:
        return cls(connection, clock)

    @property
    def place(self) -> str:
        return self._place

    def check(self) -> None:
        def work(session: Session) -> None:
            for text in (texts.CHECK_JOBS, texts.CHECK_FAILED, texts.CHECK_CONTROL, texts.CHECK_REMOVED):
                session.run(text)

        self._sessions.call(work)

    # The way in

    def push(self, entries: Sequence[Entry]) -> list[str]:
        if not entries:
            return []
        self._check(entries)
        stands = self._sessions.call(lambda session: push(session, entries))
        if self._dialect.announces:
            self._announce({entry.queue for entry in entries if not entry.delay})
        return stands

    def unlock(self, queue: str, key: str, *, holder: str) -> bool:
        return self._sessions.call(lambda session: unlock(session, [key], holder=holder)) > 0

    def _check(self, entries: Sequence[Entry]) -> None:
        """Refuse before anything is sent."""
        checked, longest = None, 0
        for entry in entries:
            if entry.queue != checked:
                checked = check_queue_name(entry.queue)
            if len(entry.payload) > longest:
                longest = len(entry.payload)
        most = self._max_payload
        if longest > 500_000:  # too small to meet a limit of the server's
            self._largest = self._largest or self._sessions.call(self._engine.largest)
            most = min(most, self._largest or most)
        if longest > most:
            raise PayloadTooLarge(
                f"A payload of {longest:,} bytes is more than {self.name} takes ({most:,}); the limit is `max_payload`."
            )

    def _announce(self, queues: set[str]) -> None:
        if queues:
            self._sessions.call(lambda session: session.announce(queues))

    # The hot path

    def exchange(
        self, settlements: Sequence[Settlement], queues: Sequence[str], room: int
    ) -> tuple[list[Verdict], list[Reserved]]:
        if room > 0 and self._sweeper.is_due():
            return self._exchange_and_sweep(settlements, queues, room)
        return self._sessions.call(lambda session: self._exchange(session, settlements, queues, room))

    def _exchange_and_sweep(
        self, settlements: Sequence[Settlement], queues: Sequence[str], room: int
    ) -> tuple[list[Verdict], list[Reserved]]:
        """Settle first: a lease of ours that has run out, but that nobody has taken, is still ours to settle."""
        answers: list[Verdict] = []
        if settlements:
            answers, _ = self._sessions.call(lambda session: self._exchange(session, settlements, queues, 0))
        try:
            self._sessions.call(self._sweeper.sweep)
            _, reserved = self._sessions.call(lambda session: self._exchange(session, (), queues, room))
        except DriverUnavailable:
            if not answers:
                raise
            return answers, []  # what was applied must not look as if it had not been
        return answers, reserved

    def _exchange(
        self, session: Session, settlements: Sequence[Settlement], queues: Sequence[str], room: int
    ) -> tuple[list[Verdict], list[Reserved]]:
        finished = plain_tokens(settlements)
        turn = Turn(finished, queues, room, os.urandom(8).hex(), self.retry_after)
        if len(finished) == len(settlements):
            haul = session.turn(turn, alone=True) if finished or room > 0 else Haul([], [])
            answers = [Verdict.APPLIED if hit else Verdict.GONE for hit in haul.hits]
        else:
            self._check(
                [entry for each in settlements if isinstance(each.outcome, Done) for entry in each.outcome.then]
            )
            with session.transaction():
                rich = settle_all(session, settlements)
                haul = session.turn(turn, alone=False)
            answers = merged(settlements, rich, haul.hits)
        if haul.rows:
            self._pulse.beat()
        return answers, _reserved(haul.rows, turn.token)

    def renew(self, reservations: Sequence[Reserved]) -> list[Reserved]:
        if not reservations:
            return []
        tokens = [each.token for each in reservations]
        held = self._sessions.call(lambda session: renew(session, tokens, self.retry_after))
        return [each for each in reservations if each.token not in held]

    def receipt(self, reserved: Reserved) -> str:
        row, token = reserved.token
        return f"{row} {token}"

    def join(self, caller: Caller) -> Joined:
        return self._joining.join(caller)

    @cached_property
    def _joining(self) -> Joining:
        from queuectl.drivers.database.joining import Joining  # few programs join transactions

        return Joining(self._sessions, self._grammar, self._clock, name=self.name, place=self.place, check=self._check)

    def parked_for(self, reserved: Reserved) -> float:
        row, _ = reserved.token
        rows = self._sessions.call(lambda session: session.run(texts.PARKED_FOR, id=row).rows)
        return max(float(rows[0][0]), 0.0) if rows else 0.0

    def watch(self, queues: Sequence[str]) -> Watch:
        return self._engine.watch(self._sessions, self._pulse, queues, foreign=self._sweeper.foreign)

    # For operators

    def counts(self, queues: Iterable[str] | None = None) -> dict[str, Counts]:
        names = None if queues is None else list(queues)
        return {} if names == [] else self._sessions.call(lambda session: listing.counts(session, names))

    def page(self, queue: str, state: State, *, cursor: str | None = None, limit: int = 100) -> Page[Stored]:
        foreign = self._sweeper.foreign
        return self._sessions.call(
            lambda session: listing.page(session, queue, state, cursor=cursor, limit=limit, foreign=foreign)
        )

    def find(self, keys: Sequence[str]) -> list[Stored]:
        return finding.find(self._sessions, keys, foreign=self._sweeper.foreign)

    def cancel(self, jobs: Sequence[Stored], *, keep: str | None = None) -> list[Stored]:
        return removing.cancel(self._sessions, jobs, self._keeping(keep))

    def clear(self, queue: str, *, keep: str | None = None) -> int:
        return removing.clear(self._sessions, queue, self._keeping(keep))

    def _keeping(self, operation: str | None) -> Keep | None:
        return None if operation is None else partial(self._removed.keep_jobs, operation=operation)

    def about(self) -> Mapping[str, str]:
        facts = self._sessions.call(self._engine.about)
        return {"driver": f"database ({self._dialect.label})", "place": self.place, **facts}

    def concerns(self) -> Sequence[Concern]:
        return self._sessions.call(self._engine.concerns)

    def now(self) -> float:
        return float(self._sessions.call(lambda session: session.run(texts.NOW).rows[0][0]))

    def close(self) -> None:
        self._sessions.close()


def engine_for(connection: Connection, address: Address, clock: Clock | None, *, timeout: float) -> Engine:
    """What opens sessions for this connection; its client library is imported now."""
    dialect = address.dialect
    grammar = Grammar(dialect, jobs=connection.table, failed=connection.failed_table, bound=clock is not None)
    try:
        module = import_module(dialect.module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{dialect.label} needs the Python package {error.name!r}.",
            hint=f"Install this project with its extra `{dialect.extra}`.",
        ) from error
    engine: Engine = module.engine(address, grammar, clock, timeout)
    return engine


def _reserved(rows: Sequence[Row], token: str) -> list[Reserved]:
    return [
        Reserved(queue, str(number), body(payload), attempts, (number, token))
        for number, queue, payload, attempts, _ in rows
    ]
