"""Jobs of another version, exceptions that attack, payloads of ten megabytes: all are run, kept or refused, whole."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from queuectl.drivers.contract import Driver, FailedJob
from queuectl.errors import PayloadTooLarge
from queuectl.failing import each
from queuectl.jobs.outcome import Entry, FailedRecord, Problem, Unique
from queuectl.jobs.payload import TAIL, encode, new_uuid
from tests.acceptance.project import Project, Worker, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, job

MB = 1_000_000
LATER = """

class {name}(Job):
    key: str

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        write("done", self.key, attempt=self.attempts)
"""
BIG = """

class Big(Job):
    key: str
    text: str

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        write("done", self.key, size=len(self.text))
"""
HOSTILE = """

class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")

    __repr__ = __str__


def circle():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    return one


EXCEPTIONS = {
    "nul": lambda: ValueError("a\\0b"),
    "surrogate": lambda: ValueError("\\ud800"),
    "terminal": lambda: ValueError("\\x1b]52;c;ZXZpbA==\\x07\\x1b[2J\\u202e"),
    "huge": lambda: ValueError("x" * 50_000_000),
    "emoji": lambda: ValueError("\\N{GRINNING FACE}" * 1000),
    "unprintable": Unprintable,
    "nameless": lambda: type("Nowhere", (Exception,), {"__module__": None})(),
    "group": lambda: ExceptionGroup("several", [ValueError("one"), circle()]),
    "circle": circle,
    "base": lambda: type("Odd", (BaseException,), {})("no Exception"),
}


class Hostile(Job):
    key: str

    def handle(self) -> None:
        write("start", self.key, attempt=self.attempts)
        raise EXCEPTIONS[self.key]()
"""
SLY = (
    b'{"job":"\\ud800","attempts":0}',
    b'{"job":"a\\u0000b","data":{}}',
    b'{"job":"' + b"n" * 100_000 + b'"}',
    b'{"job":"Ledger","displayName":"\\ud800","data":{}}',
    b'{"job":"Ledger","displayName":"a\\u0000b","data":{}}',
    b'{"job":"Ledger","displayName":"' + b"n" * 100_000 + b'","data":{}}',
    b'{"job":"Ledger","uuid":"\\ud800","data":{}}',
    b'{"job":"Ledger","uuid":"a\\u0000b","data":{}}',
    b'{"job":"Ledger","uuid":"\\u001b[2J","data":{}}',
    b'{"job":"Ledger","uuid":"' + b"u" * 255 + b'","data":{}}',
    b'{"job":"Ledger","data":{"key":"\\ud800"}}',
    b'{"job":"Ledger","data":{"key":"\\ud800"},"id":"\\ud800","attempts":0}',
)
LISTING = """
from pathlib import Path
from queuectl.cli import main

assert main(["failed", "--json"]) == 0
print(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024)
"""
EXCEPTIONS = ("nul", "surrogate", "terminal", "huge", "emoji", "unprintable", "nameless", "group", "circle", "base")


@pytest.mark.fault("F33")
def test_a_job_of_another_version_waits_fails_with_the_reason_and_can_be_retried(arena: Arena) -> None:
    """Fields that do not fit fail at once, an unknown name after its grace, each with its payload; a newer deploy runs
    what waits and what is retried."""
    gone, wrong = job("gone", "Gone"), job("wrong", colour="red")
    arena.put(gone, wrong, job("fine"))
    with settings(arena.project, "unknown_job_grace = 0"):
        arena.project.drain()
    failed = {row.job: row for row in failed_of(arena)}
    assert "Known: " in failed["Gone"].message
    assert "colour" in failed["Ledger"].message
    assert without_tail(failed["Gone"].payload) == without_tail(gone.payload)
    assert without_tail(failed["Ledger"].payload) == without_tail(wrong.payload)
    arena.put(job("later", "Later"))
    worker = arena.project.work()
    with driver_of(arena) as driver:
        until(lambda: driver.counts(["default"])["default"].delayed, "the unknown job to be parked")
        deploy(arena.project, LATER.format(name="Later") + LATER.format(name="Gone"))
        worker.signal(signal.SIGHUP)
        driver.failed.retry([failed["Gone"].uuid])
    arena.await_done({"fine", "later", "gone"}, 150)  # parked anew by the former self, it waits twice as long
    stop(worker)
    assert [event["attempt"] for key in ("later", "gone") for event in arena.project.starts(key)] == [1, 1]
    assert arena.check().done == 3
    assert arena.places() == {"wrong": ["failed"]}


@pytest.mark.fault("F34")
def test_names_that_no_store_takes_are_kept_and_harm_nobody(arena: Arena) -> None:
    """Half characters, NUL and a hundred thousand letters where a name, a uuid or an argument should be: one failed job
    each, with its payload, also after a retry."""
    with driver_of(arena) as driver:
        driver.push([Entry("default", payload, new_uuid()) for payload in SLY])
    arena.put(job("fine"))
    arena.project.drain()
    with driver_of(arena) as driver:
        driver.failed.retry([row.uuid for row in failed_of(arena)])
    arena.project.drain()
    rows = failed_of(arena)
    assert sorted(map(told_by, SLY)) == sorted(told_by(row.payload) for row in rows)
    assert all(row.uuid.isprintable() and len(row.job) < 256 for row in rows)
    with driver_of(arena) as driver:
        driver.failed.flush()
    assert arena.check().done == 1


@pytest.mark.fault("F37", "X11")
def test_whatever_an_exception_is_there_is_one_record_of_it(arena: Arena) -> None:
    """NUL, half characters, orders to a terminal, 50 MB, no text at all, circles, groups: kept, capped, shown as
    text, and the next job runs."""
    deploy(arena.project, HOSTILE)
    arena.put(*(job(key, "Hostile") for key in EXCEPTIONS), job("fine"))
    worker = arena.project.drain("-vv")
    assert (worker.stdout + worker.stderr).replace("\n", "").isprintable()
    assert len(worker.stdout + worker.stderr) < 1_000_000
    rows = failed_of(arena)
    assert len(rows) == len(EXCEPTIONS)
    for row in rows:
        assert row.text.encode().count(b"\0") == 0
        assert row.error
        assert 0 < len(row.text.encode()) < 90_000
    told = " ".join(row.message for row in rows)
    assert "<unprintable Unprintable>" in told
    assert "a\\u0000b" in told
    assert arena.check().done == 1


@pytest.mark.fault("F36")
def test_ten_megabytes_are_carried_and_more_is_refused_before_it_is_sent(store: str, make_arena: MakeArena) -> None:
    """What is longer than `max_payload` never leaves the producer; listings of large jobs stay small."""
    arena = make_arena(store)
    deploy(arena.project, BIG)
    with settings(arena.project, f"max_payload = {11 * MB}"):
        arena.put(job("big", "Big", text="x" * 10 * MB))
        with pytest.raises(PayloadTooLarge):
            arena.put(job("too big", "Big", text="x" * 11 * MB))
        arena.attempted.discard("too big")
        worker = arena.project.work()
        arena.await_done({"big"})
        assert peak_of(worker.pid) < 6 * 10 * MB + 60 * MB
        stop(worker)
        [event] = [event for event in arena.project.events() if event["ev"] == "done"]
        assert event["size"] == 10 * MB
        assert arena.check().done == 1
        before = peak_of_listing(arena.project)
        with driver_of(arena) as driver:
            driver.failed.add([large_record() for _ in range(40)])
        assert peak_of_listing(arena.project) < before + 20 * MB


@pytest.mark.fault("F36")
def test_what_the_server_would_not_take_is_too_large(mariadb_url: str, make_arena: MakeArena) -> None:
    """The server's own limit counts, too, where it is the smaller one; the connection is not lost over it."""
    arena = make_arena("mariadb", database_url=mariadb_url)
    with settings(arena.project, f"max_payload = {200 * MB}"):
        with pytest.raises(PayloadTooLarge):
            arena.put(job("big", text="x" * 17 * MB))
        arena.attempted.discard("big")
        arena.put(job("fine"))
    assert arena.check().jobs == 1


@pytest.mark.fault("F40")
def test_twenty_pushes_of_one_key_at_once_are_one_job(arena: Arena) -> None:
    """All twenty get its uuid; a push after it is done within the key's time is none either."""
    entries = [unique(job("k")) for _ in range(20)]
    arena.attempted.add("k")
    with driver_of(arena) as driver:
        with ThreadPoolExecutor(20) as threads:
            [told] = {uuid for pushed in threads.map(lambda entry: driver.push([entry]), entries) for uuid in pushed}
        assert driver.counts(["default"])["default"].pending == 1
        arena.acknowledged.add("k")
        arena.project.drain()
        assert driver.push([unique(job("k"))]) == [told]
    assert arena.check().done == 1


def unique(entry: Entry) -> Entry:
    return Entry(entry.queue, entry.payload, entry.uuid, unique=Unique("once", 600))


def deploy(project: Project, source: str) -> None:
    """A newer version of the application."""
    file = project.folder / "ledger_jobs.py"
    file.write_text(file.read_text() + source)


@contextmanager
def settings(project: Project, line: str) -> Iterator[None]:
    """A line more in every connection of the configuration, for a while."""
    file = project.folder / "conf/queue.toml"
    former = file.read_text()
    file.write_text(former.replace("retry_after =", f"{line}\nretry_after ="))
    yield
    file.write_text(former)


@contextmanager
def driver_of(arena: Arena) -> Iterator[Driver]:
    with closing(arena.app()) as app:
        yield app.driver(arena.project.connection)


def failed_of(arena: Arena) -> list[FailedJob]:
    """With payload and text."""
    with driver_of(arena) as driver:
        found = [driver.failed.get(row.uuid) for row in each(driver.failed)]
    return [row for row in found if row is not None]


def told_by(payload: bytes) -> str:
    """All but counter and identity, which are the store's."""
    found = json.loads(payload)
    return json.dumps({key: value for key, value in found.items() if key not in ("id", "attempts")}, sort_keys=True)


def without_tail(payload: bytes) -> bytes:
    """But for what a store writes: counter and identity."""
    tail = TAIL.search(payload)
    assert tail is not None
    return payload[: tail.start()]


def large_record() -> FailedRecord:
    uuid = new_uuid()
    return FailedRecord(
        uuid=uuid,
        connection="x",
        queue="default",
        payload=encode(job="Big", arguments="x" * MB, uuid=uuid),
        job="Big",
        attempts=1,
        problem=Problem("ValueError", "large", "large"),
        failed_at=1_800_000_000,
    )


def stop(worker: Worker) -> None:
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0, worker.output()


def peak_of(pid: int) -> int:
    """Bytes of memory that a process has had at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def peak_of_listing(project: Project) -> int:
    return int(project.python(LISTING).splitlines()[-1])
