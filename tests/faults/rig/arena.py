"""A project on one store in which things go wrong, and the record of what was pushed into it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from queuectl.app import App
from queuectl.drivers.contract import Driver, Page
from queuectl.failing import each
from queuectl.jobs.payload import decode
from tests.acceptance.project import Project, until
from tests.faults.rig.checker import Findings, History, check

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
STATES = ("ready", "delayed", "reserved")


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

    @property
    def struck(self) -> int:
        """How often a fault has struck here."""
        return len(self._fault_log.read_text().splitlines()) if self._fault_log.exists() else 0

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

    def await_rest(self, patience: float = 60.0) -> None:
        """Wait until nothing is ready or reserved."""
        until(lambda: not self._busy(), "the queues to be at rest", patience)

    def places(self) -> dict[str, list[str]]:
        """By key, everywhere a job lies, in every store that the configuration speaks of."""
        found: dict[str, list[str]] = defaultdict(list)
        for place, payload in self._payloads():
            found[_key(payload)].append(place)
        return dict(found)

    def history(self) -> History:
        return History(self.attempted, self.acknowledged, self.project.events(), self.places())

    def check(self, **allowed: Collection[str]) -> Findings:
        """`checker.check` of all that happened here; the figures go into the table."""
        findings = check(self.history(), **allowed)
        for name, value in findings.counts.items():
            self._note(name, value)
        return findings

    def _busy(self) -> int:
        return sum(row["pending"] + row["reserved"] for row in self.project.monitor())

    def _payloads(self) -> Iterator[tuple[str, bytes]]:
        file = self._plain if self._plain.exists() else self.project.folder / "conf/queue.toml"
        app = App.load(file, env=self.project.environment)
        try:
            places = {app.driver(name).place: app.driver(name) for name in app.store_names}
            for driver in places.values():
                yield from _stored(driver)
                yield from (("failed", _body(driver, job.uuid)) for job in list(each(driver.failed)))
        finally:
            app.close()


def _stored(driver: Driver) -> Iterator[tuple[str, bytes]]:
    for queue in driver.counts():
        where = "outbox:" if queue.startswith("outbox:") else ""
        for state in STATES:
            for found in _all(lambda cursor, queue=queue, state=state: driver.page(queue, state, cursor=cursor)):
                yield f"{where}{state}", found.payload


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


def _key(payload: bytes) -> str:
    arguments = decode(payload).arguments
    assert arguments is not None, payload
    key: str = json.loads(arguments)["key"]
    return key
