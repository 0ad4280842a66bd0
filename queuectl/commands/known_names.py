"""Names for whoever is typing: quickly, without a word of complaint, and without importing the application.

Jobs are the exception: where no lock file lists them, the application is imported, and they are remembered for some
minutes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from hashlib import sha256
from io import StringIO
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

from queuectl.app import App
from queuectl.commands.addresses import known_queues
from queuectl.config import Config
from queuectl.drivers.contract import Driver, FailedJob

T = TypeVar("T")
PATIENCE = 0.5
"""Seconds that a store has to answer a TAB."""
REMEMBERED = 600.0
RECENT = 20
"""Failed jobs, or operations, that are worth offering."""
SEARCHED = 500
"""Failed jobs of which the causes are worth offering."""


class KnownNames:
    """What there is to choose from."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def connections(self) -> list[str]:
        return list(self._config.connections)

    def queues(self) -> list[str]:
        """Of every connection that answers, and those that the configuration names."""
        configured = {self._config.connections[name].queue for name in self._config.mentioned}
        return sorted(configured.union(*(found for _, found in self._asked(known_queues))))

    def addresses(self) -> list[str]:
        """Queues of the default connection as they are, those of the others with its name before them."""
        default = self._config.default
        found = {
            queue if name == default else f"{name}:{queue}"
            for name, queues in self._asked(known_queues)
            for queue in queues
        }
        return sorted({*found, self._config.connections[default].queue})

    def failed(self) -> list[str]:
        """The uuids of the newest ones, of each connection."""
        return [job.uuid for job in self._recent(RECENT)]

    def groups(self) -> list[str]:
        """The fingerprints of what failed lately."""
        return [job.fingerprint for job in self._recent(SEARCHED)]

    def errors(self) -> list[str]:
        """What failed lately failed with."""
        return sorted({job.error.rpartition(".")[2] for job in self._recent(SEARCHED)})

    def _recent(self, count: int) -> Iterator[FailedJob]:
        for _, page in self._asked(lambda driver: driver.failed.page(limit=count)):
            yield from page.items

    def operations(self) -> list[str]:
        """What can be undone, the latest first."""
        told = self._asked(lambda driver: driver.control.operations())
        found = sorted((one for _, some in told for one in some if one.undoable), key=lambda one: -one.at)
        return list(islice(dict.fromkeys(one.id for one in found), RECENT))

    def jobs(self) -> list[str]:
        """From the lock file, from memory, or from the application."""
        from queuectl.contracts import lock_file

        with suppress(Exception):
            if (contracts := lock_file.read(lock_file.place_of(self._config))) is not None:
                return sorted(contracts)
        memory = _Memory(self._config)
        found = memory.recall()
        if found is None:
            found = _registered(self._config)
            memory.keep(found)
        return found

    def _asked(self, question: Callable[[Driver], T]) -> Iterator[tuple[str, T]]:
        """What the connections say that answer soon enough."""
        app = App(_impatient(self._config))
        try:
            for name in app.config.mentioned:
                with suppress(Exception):
                    if not app.driver(name).immediate:
                        yield name, question(app.driver(name))
        finally:
            app.close()


def _impatient(config: Config) -> Config:
    connections = {
        name: replace(connection, timeout=min(connection.timeout, PATIENCE))
        for name, connection in config.connections.items()
    }
    return replace(config, connections=connections)


def _registered(config: Config) -> list[str]:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return App(config).registry.names()


class _Memory:
    """A file of one application's jobs in the user's cache. That it cannot be read or written is no harm."""

    def __init__(self, config: Config) -> None:
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        of = sha256(repr((str(config.root), config.jobs)).encode()).hexdigest()[:16]
        self._file = Path(folder) / "queuectl" / f"jobs-{of}.json"

    def recall(self) -> list[str] | None:
        with suppress(OSError, ValueError):
            if time.time() - self._file.stat().st_mtime < REMEMBERED:
                return [name for name in json.loads(self._file.read_bytes()) if isinstance(name, str)]
        return None

    def keep(self, names: list[str]) -> None:
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile("w", dir=self._file.parent, delete=False) as new:
                json.dump(names, new)
            Path(new.name).replace(self._file)
