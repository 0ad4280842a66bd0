"""Stores that hold an attack wherever they hold text."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from redis import Redis

from queuectl.drivers.contract import Driver, Settlement
from queuectl.drivers.control import Beat, Cancel, LastSeen, Pause
from queuectl.drivers.operation import Operation
from queuectl.jobs.outcome import Entry, Parked
from queuectl.jobs.payload import encode, new_uuid
from queuectl.testing.databases import fresh_prefix
from tests.unit.cli.conftest import Site, failed_record

EVIL = "\x1b[2J\x1b[8m\x1b]52;c;ZXZpbA==\x07\x9b31m\r\b\u202egpj\u200b\0[/red][bold][link=http://x]😀\nfake line"
MARKUP = "[/red][bold][link=http://x]%s{0}"
"""Printable, so that it is a name like any other."""
UUID, WAITING, OPERATION = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002", "op-e1e1e1"
FOR_SHELLS = ("x;touch${IFS}pwned;$(touch${IFS}pwned)#", "x';touch${IFS}pwned;'")
"""Names for whoever copies a line into a shell, with no quotes around them, or with careless ones."""
RENAMED = {"markup": MARKUP, "evil": EVIL}
"""Our own programs refuse such names of queues; others write what they like."""
CONFIGURATION = """\
default = "database"
jobs = ["shop"]

[connections.database]
driver = "redis"
url = "{}"
prefix = "{}"
"""

SHOP = f'''\
"""Jobs that do what their arguments say."""

from queuectl import Job


class Mail(Job):
    """{MARKUP}"""

    to: str = "ann"
    queue = "mail"

    def handle(self) -> None:
        print(self.to)
        raise ValueError(self.to)
'''


class Attack(Protocol):
    """A kind of store."""

    def begin(self, site: Site) -> None:
        """Give the project such a store, in place of the one it has."""


class OnSqlite:
    """Made once, and copied from then on."""

    def __init__(self) -> None:
        self._image = b""

    def begin(self, site: Site) -> None:
        storage = site.root / "storage"
        shutil.rmtree(storage, ignore_errors=True)
        if self._image:
            storage.mkdir()
            (storage / "queue.sqlite").write_bytes(self._image)
            return
        assert site.run("migrate").code == 0
        _fill(site)
        with closing(sqlite3.connect(storage / "queue.sqlite")) as database, database:
            for queue, name in RENAMED.items():
                for table in ("jobs", "failed_jobs"):
                    database.execute(f"UPDATE {table} SET queue = ? WHERE queue = ?", (name, queue))
            database.execute("UPDATE queuectl_control SET expires_at = expires_at + 3600")
        self._image = (storage / "queue.sqlite").read_bytes()


@dataclass
class OnRedis:
    url: str

    def begin(self, site: Site) -> None:
        prefix = fresh_prefix()
        site.write(CONFIGURATION.format(self.url, prefix))
        _fill(site)
        with Redis.from_url(self.url) as server:
            for queue, name in RENAMED.items():
                server.rename(f"{prefix}queues:{queue}", f"{prefix}queues:".encode() + name.encode() + b"\xff")


def _fill(site: Site) -> None:
    with site.driver() as driver:
        fill(driver)


def fill(driver: Driver) -> None:
    """Failed, waiting, parked and reserved jobs; pauses, workers and operations."""
    now = time.time()
    arguments = json.dumps({"to": EVIL, EVIL: 1, "password": "canary"})
    facts = {"job": EVIL, "message": EVIL, "arguments": arguments}
    driver.failed.add([failed_record(UUID, queue="evil", **facts)])
    driver.failed.add([failed_record(new_uuid(), queue="markup", **facts)])
    for queue in ("hostile", "mail", "markup", "evil"):
        ours = encode(job="Mail", arguments=arguments, uuid=new_uuid())
        driver.push([*_entries(queue, arguments), Entry(queue, ours, new_uuid())])
    driver.push([Entry("mail", encode(job=MARKUP, arguments=arguments, uuid=WAITING), WAITING, delay=600)])
    driver.push([Entry("parked", encode(job=MARKUP, arguments=arguments, uuid=new_uuid()), new_uuid())])
    [parked] = driver.exchange([], ["parked"], 1)[1]
    driver.exchange([Settlement(parked, Parked(EVIL, 600))], ["mail"], 1)
    driver.control.pause("other", Pause(EVIL, now, now + 60, EVIL))
    running = ({"job": EVIL, "uuid": UUID, "queue": EVIL, "since": now}, {"job": MARKUP, "uuid": EVIL, "since": now})
    for name in (EVIL, MARKUP):
        driver.control.beat(Beat(f"{MARKUP}:{now}", name, name, 1, ("mail", name), now, now, 1, 0, running, name))
    driver.control.serve(["hostile"], LastSeen(EVIL, EVIL, now))
    driver.control.put_off(WAITING, EVIL, at=now, seconds=600, holder=EVIL)
    driver.control.show_progress(UUID, 0.5, EVIL)
    driver.control.cancel_running(UUID, Cancel(EVIL))
    driver.control.count({f"done:{MARKUP}": 1})
    driver.control.record(Operation(OPERATION, EVIL, EVIL, EVIL, now, 1, undoable=True))


def _entries(queue: str, arguments: str) -> Iterator[Entry]:
    """Payloads of other programs: a name that steers, one of markup, no JSON, no UTF-8, half a character."""
    for job in (EVIL, MARKUP):
        envelope = {"uuid": EVIL, "displayName": job, "job": job, "data": json.loads(arguments), "attempts": 0}
        yield Entry(queue, json.dumps(envelope).encode(), new_uuid())
    for payload in (
        EVIL.replace("\0", "").encode(),
        b"\x9b2J\xff\xfe",
        b'{"job": "Mail", "data": "\\ud800\\u001b[2J"}',
    ):
        yield Entry(queue, payload, new_uuid())
