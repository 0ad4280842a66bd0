"""The composition root: the only place that builds objects from the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queuectl.clock import Clock, SystemClock
from queuectl.config import Config, Connection
from queuectl.config.loading import load
from queuectl.drivers import driver_class
from queuectl.errors import CannotJoin, ConfigurationError

if TYPE_CHECKING:
    from queuectl.awaiting import Awaited
    from queuectl.dispatch import Pusher, QueueDispatcher
    from queuectl.drivers.contract import Driver, FailedStore, Joined
    from queuectl.failing import FailedJobs
    from queuectl.jobs.registry import Registry
    from queuectl.jobs.runtime import Notifications, NotificationService, Runtime
    from queuectl.log import LogFile
    from queuectl.outbox import Outbox
    from queuectl.runner import Runner
    from queuectl.transactions import Caller
    from queuectl.worker.upkeep import Carrier

RELAY_TIMEOUT = 0.5
"""Seconds that a worker, which has leases to renew, waits for the outbox of its connection."""


class App:
    """One configuration and everything built from it, each thing once and when it is first asked for.

    Nothing here imports the application's own modules except `registry` and what stands on it.
    """

    def __init__(self, config: Config, *, clock: Clock | None = None) -> None:
        """With a *clock*, drivers are bound to it instead of their stores' own."""
        self.config = config
        self._driver_clock = clock
        self.clock: Clock = clock or SystemClock()
        self._drivers: dict[str, Driver] = {}
        self._hurried: list[Driver] = []
        self._pushers: dict[str, Pusher] = {}
        self._log: LogFile | None = None

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        env: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> App:
        return cls(load(path, env=os.environ if env is None else env, overrides=overrides))

    def close(self) -> None:
        if "runner" in vars(self):
            self.runner.close()
        for driver in (*self._drivers.values(), *self._hurried):
            driver.close()
        self._drivers.clear()
        self._hurried.clear()
        self._pushers.clear()
        if self._log is not None:
            from queuectl.log import stop_writing

            stop_writing(self._log)

    def keep_log(self, *, everything: bool = False) -> None:
        """Let what this process has to say go to the log file, if there is to be one. *everything*: also what the
        application logs without having said where."""
        if self.config.log_file is not None:
            from queuectl.log import write_to

            self._log = write_to(
                self.config.log_file, self.config.log_level, form=self.config.log_format, everything=everything
            )

    # Connections

    @property
    def connection_names(self) -> list[str]:
        """Every connection that may be named."""
        return list(self.config.connections)

    @property
    def store_names(self) -> list[str]:
        """The connections that somebody chose and that keep jobs: not those that run them at once."""
        return [name for name in self.config.mentioned if not self.driver(name).immediate]

    def connection(self, name: str | None = None) -> Connection:
        """The settings of a connection; the default one if none is named."""
        name = name or self.config.default
        if name not in self.config.connections:
            from queuectl.config.checking import did_you_mean

            raise ConfigurationError(
                f"The {name!r} queue connection has not been configured.{did_you_mean(name, self.connection_names)}",
                hint=f"Configured: {', '.join(self.connection_names)}.",
            )
        return self.config.connections[name]

    def driver(self, name: str | None = None) -> Driver:
        """The driver of a connection, whose server is reached on first use."""
        found = self._drivers.get(name or self.config.default)
        if found is not None:
            return found
        connection = self.connection(name)
        found = self._drivers[connection.name] = self._build(connection)
        return found

    def _build(self, connection: Connection) -> Driver:
        with self._located(connection, "driver"):
            kind = driver_class(connection.driver)
        with self._located(connection, "url"):
            return kind.from_config(connection, clock=self._driver_clock)

    @contextmanager
    def _located(self, connection: Connection, key: str) -> Iterator[None]:
        """Let an error say where the setting was read that it is about."""
        try:
            yield
        except ConfigurationError as error:
            origin = self.config.origins[f"connections.{connection.name}.{key}"]
            place = f"[connections.{connection.name}]" if origin.source == "default" else origin.source
            raise ConfigurationError(f"{place}: {error}", hint=error.hint) from error

    # Between connections

    def relays(self, name: str, queues: Sequence[str], note: Callable[[str], object]) -> list[Carrier]:
        """What a worker of this connection carries now and then: jobs out of its outbox, failed ones to where they are
        collected, each only if that is somewhere else."""
        relays: list[Carrier] = []
        if (outbox := self.outbox(name, timeout=RELAY_TIMEOUT)) is not None:
            from queuectl.outbox import OutboxRelay

            relays.append(OutboxRelay(outbox, self.driver(name), queues, note))
        if (target := self.far_failed(name)) is not None:
            from queuectl.failing import Relay

            relays.append(Relay(self.driver(name).failed, target, note))
        return relays

    def outbox(self, name: str, *, timeout: float | None = None) -> Outbox | None:
        """Where jobs for this connection are kept while its store is away. In the same store there is no such place."""
        keeper = self.connection(name).outbox
        if not keeper or self.driver(keeper).place == self.driver(name).place:
            return None
        from queuectl.outbox import Outbox

        return Outbox(self._within(keeper, timeout) if timeout else self.driver(keeper), name)

    def pusher(self, name: str) -> Pusher:
        """What takes the jobs that are dispatched to this connection: its driver, or that and its outbox."""
        if name not in self._pushers:
            self._pushers[name] = self._build_pusher(name)
        return self._pushers[name]

    def _build_pusher(self, name: str) -> Pusher:
        outbox = self.outbox(name)
        if outbox is None:
            return self.driver(name)
        from queuectl.outbox import SurePush

        return SurePush(self._within(name, self.connection(name).push_timeout), outbox)

    def joined(self, name: str, caller: Caller) -> Joined:
        """What takes jobs of this connection as part of a transaction of the application's: its store, or its outbox,
        whichever the transaction is to."""
        try:
            return self.driver(name).join(caller)
        except CannotJoin as error:
            outbox = self.outbox(name)
            if outbox is None:
                raise
            try:
                return outbox.join(caller)
            except CannotJoin as other:
                raise CannotJoin(f"{error} {other}") from error

    def _within(self, name: str, timeout: float) -> Driver:
        """A driver of its own for callers that cannot wait long."""
        connection = self.connection(name)
        driver = self._build(replace(connection, timeout=min(timeout, connection.timeout)))
        self._hurried.append(driver)
        return driver

    # Failed jobs

    def failed_stores(self) -> list[tuple[str, Driver]]:
        """The connections whose stores may hold failed jobs, each store once; the collecting one first."""
        names = [self.config.failed_connection] if self.config.failed_connection else []
        by_place: dict[str, tuple[str, Driver]] = {}
        for name in [*names, *self.store_names]:
            driver = self.driver(name)
            by_place.setdefault(driver.place, (name, driver))
        return list(by_place.values())

    def far_failed(self, name: str) -> FailedStore | None:
        """Where the failed jobs of this connection are to be carried, if that is somewhere else."""
        far = self.config.failed_connection
        if not far or self.driver(far).place == self.driver(name).place:
            return None
        return self.driver(far).failed

    def failed_jobs(self, drivers: Mapping[str, Driver] | None = None) -> FailedJobs:
        """The failed jobs of these connections (all, if none are given) as one list."""
        from queuectl.failing import FailedJobs

        return FailedJobs(
            dict(self.failed_stores()) if drivers is None else drivers,
            owner=lambda name: self.driver(name) if name in self.config.connections else None,
            far=self.config.failed_connection or None,
            now=self.clock.now,
        )

    def awaited(self, watch: str, note: Callable[[str], object]) -> Awaited:
        """What follows jobs that were pushed for somebody who waits under this name."""
        from queuectl.awaiting import Awaited

        stores = [driver.failed for _, driver in self.failed_stores()]
        return Awaited(watch, stores, clock=self.clock, keeper=self._keeper, note=note)

    def _keeper(self, driver: Driver) -> Driver | None:
        outbox = self.outbox(driver.name)
        return None if outbox is None else outbox.store

    # Jobs: from here on the application is imported

    @cached_property
    def registry(self) -> Registry:
        from queuectl.jobs.registry import Registry

        registry = Registry()
        registry.load(self.config.jobs, self.config.root)
        return registry

    @cached_property
    def runner(self) -> Runner:
        from queuectl.jobs.registry import imported
        from queuectl.runner import Runner

        return Runner(self.registry, [imported(one, self.config.root) for one in self.config.middleware])

    @cached_property
    def dispatcher(self) -> QueueDispatcher:
        from queuectl.dispatch import QueueDispatcher

        return QueueDispatcher(
            connections=self.driver,
            pushers=self.pusher,
            joined=self.joined,
            settings=self.config.connections,
            registry=self.registry,
            runner=self.runner,
            clock=self.clock,
            failed=self._collected,
        )

    def _collected(self) -> FailedStore | None:
        """Where failures of jobs that run at once are kept: only where `[failed] connection` says so."""
        name = self.config.failed_connection
        return self.driver(name).failed if name else None

    @cached_property
    def runtime(self) -> Runtime:
        """The services that jobs use."""
        from queuectl.disks import Disks
        from queuectl.jobs.limits import Rate
        from queuectl.jobs.runtime import Runtime

        self.keep_log()
        return Runtime(
            dispatcher=self.dispatcher,
            registry=self.registry,
            disks=Disks(self.config.disks, root=self.config.root),
            notifications=lambda: self._notifications,
            notifier=lambda: self._notifier,
            shared=lambda name: self.driver(name).control,
            limits={name: Rate.from_words(words) for name, words in self.config.limits.items()},
            now=self.clock.now,
        )

    @cached_property
    def _notifications(self) -> Notifications:
        from queuectl.notifications import build_notifications

        settings = self.config.notifications
        return build_notifications(self.connection(settings["connection"]), settings["table"])

    @cached_property
    def _notifier(self) -> NotificationService | None:
        from queuectl.notifications import build_notifier

        return build_notifier(self.config.notifications, self.config)

    def bind(self) -> None:
        """Make this the application that `Job.dispatch()` and running jobs find, in the whole process."""
        from queuectl.jobs.runtime import bind_process

        bind_process(self.runtime)
