"""A project on one store in which things go wrong, and the record of what was pushed into it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import time
from typing import Any

from queuectl.app import App
from queuectl.drivers.contract import Driver, Page, State, Stored
from queuectl.failing import each
from queuectl.jobs.outcome import Entry, FailedRecord, Problem
from queuectl.jobs.payload import encode, new_uuid
from tests.acceptance.project import Project, until
from tests.faults.rig.checker import Findings, History, check
from tests.faults.rig.faulty import Strike
from tests.faults.rig.keys import key_of

PRODUCER = """
import sys
from ledger_jobs import *
from queuectl import QueuectlError

for line in sys.stdin:
    key = line.strip()
    try:
        {expression}
        print("+" + key, flush=True)
    except QueuectlError as error:
        print("-" + key, flush=True)
"""
LEDGER = "Ledger.dispatch(key=key)"
SITE = Path(__file__).with_name("site")
REPOSITORY = Path(__file__).parents[3]
STATES: tuple[State, ...] = ("ready", "delayed", "reserved")


@dataclass(frozen=True)
class Fault:
    """One fault of a sweep."""

    name: str
    """Unlike those of the others, and good as the name of a queue."""
    environment: dict[str, str]


class Arena:
    """Pushes, remembers, and judges. `project` is there for workers, commands and configuration."""

    def __init__(self, project: Project, note: Callable[[str, object], None] = lambda name, value: None) -> None:
        """*note* keeps the figures of a check, for the table of the whole run."""
        self.project = project
        self.attempted: set[str] = set()
        self.acknowledged: set[str] = set()
        self._note = note

    # Things that go wrong

    def make_faulty(self) -> None:
        """From now on the driver of the store stands behind `rig.faulty`: `fault()` says what goes wrong."""
        driver = "redis" if self.project.connection == "redis" else "database"
        file = self.project.folder / "conf/queue.toml"
        self._plain.write_text(file.read_text())  # for us, who look at the store in this process
        section, own = f"[connections.{driver}]\n", f'driver = "{driver}"\n'
        file.write_text(file.read_text().replace(section + own, f'{section}driver = "faulty"\ninner = "{driver}"\n'))
        self.project.environment["PYTHONPATH"] = f"{SITE}:{REPOSITORY}"

    def fault(self, call: str, number: int, mode: str) -> dict[str, str]:
        """The environment of a process in which this call goes wrong; see `rig.faulty`."""
        return {"FAULT": f"{call}:{number}:{mode}", "FAULT_LOG": str(self._fault_log)}

    def sweep(self, call: str, modes: Iterable[str]) -> Iterator[Fault]:
        """Let this call go wrong at its first time, its second, …, in each mode until it is not made that often.

        Whoever iterates runs something with each fault.
        """
        for mode in modes:
            for number in count(1):
                struck = self.struck
                yield Fault(f"{mode}-{number}", self.fault(call, number, mode))
                if self.struck == struck:
                    break

    @property
    def struck(self) -> int:
        """How often a fault has struck here."""
        return len(self.strikes())

    def strikes(self) -> list[Strike]:
        """The faults that have struck here, oldest first."""
        return Strike.read(self._fault_log)

    @property
    def _plain(self) -> Path:
        return self.project.folder / "conf/plain.toml"

    @property
    def _fault_log(self) -> Path:
        return self.project.folder / "faults.log"

    # The way in

    def push(self, keys: Iterable[str], expression: str = LEDGER, **environment: str) -> list[str]:
        """Dispatch *expression* for each key from one process of the application; the keys that were accepted.

        The process may be killed in mid-way, by a fault that *environment* asks for: that is no error here.
        """
        keys = list(keys)
        self.attempted |= set(keys)
        done = subprocess.run(
            [sys.executable, "-c", PRODUCER.format(expression=expression)],
            cwd=self.project.folder,
            env={**self.project.environment, **environment},
            input="".join(f"{key}\n" for key in keys),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, -9), done.stderr
        accepted = [line[1:] for line in done.stdout.splitlines() if line.startswith("+")]
        self.acknowledged |= set(accepted)
        return accepted

    def put(self, *jobs: Entry) -> None:
        """Push jobs of `job()` from this process: what comes before the part that a test is about."""
        self.attempted |= {key_of(job.payload) for job in jobs}
        with closing(self.app()) as app:
            app.driver(self.project.connection).push(jobs)
        self.acknowledged |= {key_of(job.payload) for job in jobs}

    def bury(self, connection: str, *jobs: Entry) -> None:
        """Jobs that were accepted and have failed for good; their rows lie in the failed store of a connection."""
        self.attempted |= {key_of(job.payload) for job in jobs}
        with closing(self.app()) as app:
            rows = [record(job.uuid, self.project.connection, job.queue, job.payload) for job in jobs]
            app.driver(connection).failed.add(rows)
        self.acknowledged |= {key_of(job.payload) for job in jobs}

    def keep_in_outbox(self, *jobs: Entry) -> None:
        """Jobs that were accepted while their store was away."""
        self.attempted |= {key_of(job.payload) for job in jobs}
        with closing(self.app()) as app:
            outbox = app.outbox(self.project.connection)
            assert outbox is not None
            outbox.keep(jobs)
        self.acknowledged |= {key_of(job.payload) for job in jobs}

    @property
    def collecting(self) -> str:
        """The connection whose store collects failed jobs."""
        with closing(self.app()) as app:
            return app.config.failed_connection

    def forgotten(self, keys: Iterable[str]) -> None:
        """An operator deleted these, and was told so."""
        self.acknowledged -= set(keys)

    def push_many(self, count: int, prefix: str = "k", expression: str = "Ledger({job})") -> None:
        """Dispatch `prefix0 …` in bulk: quick, and all or none."""
        keys = [f"{prefix}{number}" for number in range(count)]
        job = expression.replace("{job}", f"key=f'{prefix}{{n}}'")
        self.attempted |= set(keys)
        self.project.python(
            f"from ledger_jobs import *\nfrom queuectl import Job\nJob.dispatch_many({job} for n in range({count}))"
        )
        self.acknowledged |= set(keys)

    # At rest

    def done(self) -> set[str]:
        return set(self.project.done())

    def await_done(self, keys: Collection[str], patience: float = 60.0) -> None:
        """Wait until the effect of each is there."""
        until(lambda: set(keys) <= self.done(), f"{len(keys)} jobs", patience)

    def await_expiry(self) -> None:
        """Wait until every lease has ended and every delayed job is due."""
        with closing(self.app()) as app:
            ends = [(driver, max(_moments(driver), default=0.0)) for driver in _stores(app)]
            until(lambda: all(end < driver.now() for driver, end in ends), "leases and delays to end")

    def await_rest(self, patience: float = 60.0) -> None:
        """Wait until nothing is ready or reserved."""
        with closing(self.app()) as app:
            until(lambda: not any(map(_busy, _stores(app))), "the queues to be at rest", patience)

    def places(self) -> dict[str, list[str]]:
        """By key, everywhere a job lies, in every store that the configuration speaks of."""
        found: dict[str, list[str]] = defaultdict(list)
        for place, payload in self._payloads():
            found[key_of(payload)].append(place)
        return dict(found)

    def history(self) -> History:
        return History(self.attempted, self.acknowledged, self.project.events(), self.places())

    def check(self, **allowed: Collection[str]) -> Findings:
        """`checker.check` of all that happened here; the figures go into the table."""
        findings = check(self.history(), **allowed)
        for name, value in {**findings.counts, "struck": self.struck}.items():
            self._note(name, value)
        return findings

    def app(self) -> App:
        """The application as this process sees it, without faults. The caller closes it."""
        file = self._plain if self._plain.exists() else self.project.folder / "conf/queue.toml"
        return App.load(file, env=self.project.environment)

    def _payloads(self) -> Iterator[tuple[str, bytes]]:
        with closing(self.app()) as app:
            for driver in _stores(app):
                yield from _stored(driver)
                yield from (("failed", _body(driver, job.uuid)) for job in list(each(driver.failed)))


def job(key: str, name: str = "Ledger", *, queue: str = "default", delay: float = 0.0, **arguments: object) -> Entry:
    """A job of the ledger's, as a dispatch would push it."""
    uuid = new_uuid()
    payload = encode(job=name, arguments=json.dumps({"key": key, **arguments}), uuid=uuid, delay=delay)
    return Entry(queue, payload, uuid, delay=delay)


def record(uuid: str, connection: str, queue: str, payload: bytes) -> FailedRecord:
    """That a job has failed for good, just now."""
    why = Problem("builtins.ValueError", "no use", "Traceback …\nValueError: no use")
    return FailedRecord(uuid, connection, queue, payload, "Ledger", 1, why, time())


def _stores(app: App) -> Iterable[Driver]:
    return {app.driver(name).place: app.driver(name) for name in app.store_names}.values()


def _busy(driver: Driver) -> bool:
    return any(counts.pending or counts.reserved for counts in driver.counts().values())


def _stored(driver: Driver) -> Iterator[tuple[str, bytes]]:
    for queue in driver.counts():
        where = "outbox:" if queue.startswith("outbox:") else ""
        yield from ((f"{where}{found.state}", found.payload) for found in _lying(driver, queue))


def _moments(driver: Driver) -> Iterator[float]:
    """When each delay and each lease ends."""
    for queue in driver.counts():
        yield from (found.at for found in _lying(driver, queue) if found.state != "ready")


def _lying(driver: Driver, queue: str) -> Iterator[Stored]:
    for state in STATES:
        yield from _all(lambda cursor, state=state: driver.page(queue, state, cursor=cursor))


def _all(page: Callable[[str | None], Page[Any]]) -> Iterator[Any]:
    found = page(None)
    yield from found.items
    while found.cursor is not None:
        found = page(found.cursor)
        yield from found.items


def _body(driver: Driver, uuid: str) -> bytes:
    job = driver.failed.get(uuid)
    assert job is not None, f"a failed job vanished while it was looked at: {uuid}"
    return job.payload
