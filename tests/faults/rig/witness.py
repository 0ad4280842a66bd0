"""Somebody who looks into every place a job may be, every few milliseconds, while others carry jobs about."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import closing
from time import sleep
from types import TracebackType

from queuectl.drivers.contract import Driver
from queuectl.errors import DriverUnavailable
from queuectl.jobs.payload import identity
from tests.faults.rig.arena import STATES, Arena

BETWEEN_LOOKS = 0.003


class Witness:
    """Of jobs that only ever go on: from ready to reserved, to the failed store, to where failed jobs are collected.

    It looks in that order, so that a job which moves on meanwhile is seen in one place or the next.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._watched: frozenset[str] = frozenset()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.missed: set[str] = set()
        """Jobs that were nowhere when it looked."""
        self.looks = 0

    def watch(self, uuids: Iterable[str]) -> None:
        """From now on these, at most a hundred."""
        self._watched = frozenset(uuids)

    def __enter__(self) -> Witness:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        with closing(self._arena.app()) as app:
            near, far = app.driver(), app.driver(app.config.failed_connection)
            while not self._over.is_set():
                watched = self._watched
                try:
                    self.missed |= watched - seen(near, far)
                    self.looks += bool(watched)
                except DriverUnavailable:
                    pass  # a store that is away can be asked nothing
                sleep(BETWEEN_LOOKS)


def seen(near: Driver, far: Driver) -> set[str]:
    """The jobs of the default queue, wherever they are."""
    waiting = [stored for state in STATES for stored in near.page("default", state).items]
    failed = [*near.failed.page().items, *far.failed.page().items]
    return {*(identity(stored.payload)[0] for stored in waiting), *(row.uuid for row in failed)}
