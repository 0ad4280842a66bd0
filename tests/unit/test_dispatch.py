"""A dispatched job is checked, finds its connection and queue, and is pushed or run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.dispatch import DEEPEST, QueueDispatcher
from queuectl.drivers.contract import FailedStore
from queuectl.drivers.sync import SyncDriver
from queuectl.errors import (
    DriverUnavailable,
    DuplicateJob,
    InvalidArguments,
    InvalidName,
    JobDefinitionError,
    ManuallyFailed,
    NestedTooDeeply,
)
from queuectl.jobs.definition import Job
from queuectl.jobs.function import job
from queuectl.jobs.outcome import Entry, FailedRecord
from queuectl.jobs.payload import decode
from queuectl.jobs.pending import CHUNK
from queuectl.jobs.registry import Registry
from queuectl.jobs.runtime import Runtime, bind, unbind
from queuectl.runner import Runner

NOW = 1_800_000_000.0
seen: list[Any] = []


class Held(SyncDriver):
    """The reference driver as one that a worker would serve; counts its pushes."""

    immediate: ClassVar[bool] = False

    def __init__(self, name: str, clock: FakeClock) -> None:
        super().__init__(Connection(name, "sync"), clock=clock)
        self.pushes: list[Sequence[Entry]] = []

    def push(self, entries: Sequence[Entry]) -> list[str]:
        self.pushes.append(entries)
        return super().push(entries)

    @property
    def entries(self) -> list[Entry]:
        return [entry for push in self.pushes for entry in push]


class House:
    """Two stores and a sync connection, with everything that stands on them."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.main, self.other = Held("main", self.clock), Held("other", self.clock)
        drivers = {
            "main": self.main,
            "other": self.other,
            "sync": SyncDriver(Connection("sync", "sync"), clock=self.clock),
        }
        self.registry = Registry()
        self.runner = Runner(self.registry)
        self.failed: FailedStore | None = None
        self.dispatcher = QueueDispatcher(
            connections=lambda name: drivers[name or "main"],
            settings={name: Connection(name, "sync", queue=f"{name}-default") for name in drivers},
            registry=self.registry,
            runner=self.runner,
            clock=self.clock,
            failed=lambda: self.failed,
        )

    @property
    def runtime(self) -> Runtime:
        nothing: Any = None
        return Runtime(
            self.dispatcher, self.registry, disks=nothing, notifications=nothing, notifier=nothing, shared=nothing
        )


@pytest.fixture
def house() -> Iterator[House]:
    seen.clear()
    house = House()
    token = bind(house.runtime)
    yield house
    unbind(token)
    house.runner.close()


class Note(Job):
    n: int

    def handle(self) -> None:
        seen.append(self.n)


class Mail(Job):
    to: str = "ana"

    queue = "mail"
    connection = "other"
    tries = 3
    backoff = (10, 30)
    timeout = 20
    fail_on_timeout = True
    max_exceptions = 2
    delay = 60
    retry_until = timedelta(hours=1)

    def handle(self) -> None: ...


class Broken(Job):
    how: str

    connection = "sync"

    def handle(self) -> None:
        if self.how == "fail":
            self.fail("no use")
        elif self.how == "release":
            self.release(5)
        elif self.how == "leave":
            raise KeyboardInterrupt
        else:
            raise LookupError(self.how)

    def failed(self, error: BaseException) -> None:
        seen.append(error)
        if self.how == "break the hook":
            raise ValueError("hook")


class Again(Job):
    left: int

    connection = "sync"

    def handle(self) -> None:
        seen.append(self.left)
        if self.left:
            Again.dispatch(self.left - 1)


class AgainAsync(Job):
    left: int

    connection = "sync"

    async def handle(self) -> None:
        seen.append(self.left)
        if self.left:
            AgainAsync.dispatch(self.left - 1)


@job(queue="functions")
def note(n: int, *, name: str = "x") -> None:
    seen.append((n, name))


def test_a_job_goes_where_the_configuration_says(house: House) -> None:
    """The default connection and its queue, ready at once, under the uuid that dispatch returns."""
    uuid = Note.dispatch(n=1)
    [entry] = house.main.entries
    assert (entry.queue, entry.uuid, entry.delay) == ("main-default", uuid, 0)
    envelope = decode(entry.payload)
    assert (envelope.uuid, envelope.job, envelope.arguments) == (uuid, "Note", '{"n":1}')
    assert seen == []


def test_the_class_decides_over_the_configuration(house: House) -> None:
    """Connection, queue, delay; and its limits travel in the payload, with Laravel's keys."""
    Mail.dispatch()
    [entry] = house.other.entries
    assert (entry.queue, entry.delay) == ("mail", 60)
    found = json.loads(entry.payload)
    keys = ("maxTries", "backoff", "timeout", "failOnTimeout", "maxExceptions", "retryUntil", "delay", "createdAt")
    assert [found[key] for key in keys] == [3, "10,30", 20, True, 2, NOW + 3600, 60, NOW]


def test_a_setting_that_is_changed_counts_from_the_next_dispatch_on(house: House) -> None:
    """Also a list that is changed in place."""

    class Changing(Job):
        backoff = [10]  # noqa: RUF012  # one that can be changed
        tries = 2

        def handle(self) -> None: ...

    Changing.dispatch()
    Changing.backoff.append(20)
    Changing.dispatch()
    Changing.tries, Changing.queue = 3, "slow"
    Changing.dispatch()
    sent = [json.loads(entry.payload) for entry in house.main.entries]
    assert [(found["backoff"], found["maxTries"]) for found in sent] == [("10", 2), ("10,20", 2), ("10,20", 3)]
    assert [entry.queue for entry in house.main.entries] == ["main-default", "main-default", "slow"]


def test_the_dispatch_decides_over_the_class(house: House) -> None:
    """In any order of words."""
    Mail.on_queue("urgent").on_connection("main").later(5).dispatch("bo")
    Mail.using("main").later(timedelta(minutes=1)).on_queue("urgent").dispatch(to="bo")
    Mail.later(datetime.fromtimestamp(NOW + 7, UTC)).using("main").dispatch()
    Mail.on_connection("main").later(0).dispatch()
    Mail.on_connection("main").later(datetime.fromtimestamp(NOW - 7, UTC)).dispatch()
    assert [(entry.queue, entry.delay) for entry in house.main.entries] == [
        ("urgent", 5),
        ("urgent", 60),
        ("mail", 7),
        ("mail", 0),
        ("mail", 0),
    ]


def test_a_pending_dispatch_can_be_used_again(house: House) -> None:
    """Each step makes a new one."""
    urgent = Note.on_queue("urgent")
    urgent.later(5).dispatch(1)
    urgent.dispatch(2)
    assert [entry.delay for entry in house.main.entries] == [5, 0]


def test_a_function_is_dispatched_like_a_class(house: House) -> None:
    """With its parameters, in every way."""
    note.dispatch(1, name="a")
    note.on_queue("q").later(3).dispatch(2)
    note.using("main").dispatch(3)
    note.dispatch_many(note.to_job(n) for n in (4, 5))
    note.on_connection("sync").dispatch(6, name="b")
    note.dispatch_sync(7)
    assert [decode(entry.payload).arguments for entry in house.main.entries] == [
        '{"n":1,"name":"a"}',
        *(f'{{"n":{n},"name":"x"}}' for n in (2, 3, 4, 5)),
    ]
    assert [entry.queue for entry in house.main.entries] == ["functions", "q", "functions", "functions", "functions"]
    assert seen == [(6, "b"), (7, "x")]


@pytest.mark.parametrize("until", [90, 90.0, timedelta(seconds=90), datetime.fromtimestamp(NOW + 90, UTC)])
def test_retry_until_may_be_a_span_a_moment_or_a_method(house: House, until: Any) -> None:
    """Counted from the dispatch."""

    class Fixed(Job):
        retry_until = until

    class Asked(Job):
        n: int = 90

        def retry_until(self) -> Any:
            return until if self.n == 90 else "tomorrow"

    Fixed.dispatch()
    Asked.dispatch()
    assert [decode(entry.payload).retry_until for entry in house.main.entries] == [NOW + 90] * 2
    with pytest.raises(JobDefinitionError, match=r"Asked\.retry_until\(\) must give seconds"):
        Asked.dispatch(5)


def test_wrong_arguments_are_refused_before_anything_is_pushed(house: House) -> None:
    """Wrong names and wrong values; in bulk, one wrong job keeps its whole chunk back."""
    for call in (
        lambda: Note.dispatch(),  # type: ignore[call-arg]  # the point of the test
        lambda: Note.dispatch(m=1),  # type: ignore[call-arg]  # as above
        lambda: Note.dispatch("x"),  # type: ignore[arg-type]  # as above
        lambda: Note.dispatch_many([Note(1), Note("x"), Note(3)]),  # type: ignore[arg-type]  # as above
        lambda: Note.on_connection("sync").dispatch("x"),  # type: ignore[arg-type]  # as above
    ):
        with pytest.raises(InvalidArguments, match="Note cannot take these arguments"):
            call()
    assert house.main.entries == []
    assert seen == []


@pytest.mark.fault("F42")
def test_a_queue_name_of_a_configuration_is_checked_too(house: House) -> None:
    """Names become keys."""
    with pytest.raises(InvalidName):
        Note.on_queue("a b")


def test_two_jobs_of_one_name_cannot_both_be_dispatched(house: House) -> None:
    """A worker could only run one of them."""
    Note.dispatch(1)
    impostor: Any = type("Impostor", (Note,), {"name": "Note"})
    with pytest.raises(DuplicateJob, match="Two jobs are called 'Note'"):
        impostor.dispatch(1)


# In bulk


def test_jobs_in_bulk_are_pushed_a_thousand_at_a_time(house: House) -> None:
    """Taken from the iterable as they are sent: a million jobs never lie in memory together."""
    taken: list[int] = []

    def jobs() -> Iterator[Job]:
        for n in range(2 * CHUNK + 1):
            taken.append(n)
            assert n - CHUNK < len(house.main.entries)
            yield Note(n)

    uuids = Job.dispatch_many(jobs())
    assert [len(push) for push in house.main.pushes] == [CHUNK, CHUNK, 1]
    assert uuids == [entry.uuid for entry in house.main.entries]
    assert len(set(uuids)) == len(taken)


def test_a_stream_of_jobs_is_pushed_alike_and_counted(house: House) -> None:
    """For those who need no uuids: nothing grows with the number of jobs; what was pushed before an error stays."""
    assert Job.dispatch_stream(Note(n) for n in range(CHUNK + 1)) == CHUNK + 1
    assert [len(push) for push in house.main.pushes] == [CHUNK, 1]
    assert note.on_queue("bulk").dispatch_stream([note.to_job(1)]) == note.dispatch_stream([note.to_job(1)]) == 1
    assert [entry.queue for entry in house.main.entries[-2:]] == ["bulk", "functions"]
    with pytest.raises(InvalidArguments) as error:
        Job.dispatch_stream(Note(n) if n < CHUNK else Note("x") for n in range(CHUNK + 1))  # type: ignore[arg-type]  # the point of the test
    assert error.value.__notes__ == ["1,000 jobs had been dispatched before this."]


def test_jobs_in_bulk_may_go_different_ways(house: House) -> None:
    """Of any classes, each by its own settings; one push for each connection; uuids in the order given."""
    uuids = Job.dispatch_many([Note(1), Mail("a"), Note(2), Mail("b"), Broken("release")])
    assert [len(house.main.pushes), len(house.other.pushes)] == [1, 1]
    by_uuid = {entry.uuid: decode(entry.payload).arguments for entry in house.main.entries + house.other.entries}
    assert [by_uuid.get(uuid) for uuid in uuids] == ['{"n":1}', '{"to":"a"}', '{"n":2}', '{"to":"b"}', None]


def test_jobs_in_bulk_may_be_described_together(house: House) -> None:
    """One queue and delay for all."""
    Note.on_queue("bulk").later(9).dispatch_many([Note(1), Note(2)])
    assert [(entry.queue, entry.delay) for entry in house.main.entries] == [("bulk", 9)] * 2


def test_a_bulk_that_breaks_says_how_far_it_got(house: House) -> None:
    """What was pushed stays pushed."""
    jobs = [Note(n) for n in range(CHUNK)] + [Note("x")]  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(InvalidArguments) as error:
        Job.dispatch_many(jobs)
    assert error.value.__notes__ == ["1,000 jobs had been dispatched before this."]
    assert len(house.main.entries) == CHUNK


def test_nothing_in_bulk_is_nothing(house: House) -> None:
    """No push at all."""
    assert Job.dispatch_many([]) == []
    assert house.main.pushes == []


# At once


def test_on_sync_a_job_runs_inside_dispatch(house: House) -> None:
    """Whatever its delay, through encode and decode."""
    Note.on_connection("sync").later(60).dispatch(2**70)
    Note.dispatch_sync(5)
    assert seen == [2**70, 5]
    assert house.main.entries == []


def test_dispatch_sync_runs_here_whatever_the_connection(house: House) -> None:
    """Nothing reaches the store of the class's connection."""
    Mail.dispatch_sync()
    assert house.other.entries == []


@pytest.mark.fault("F43")
def test_what_a_job_raises_reaches_the_caller_as_it_is(house: House) -> None:
    """The very object, after `failed` has heard of it; nothing is kept unless a failed connection is configured."""
    with pytest.raises(LookupError) as raised:
        Broken.dispatch("boom")
    assert seen == [raised.value]
    assert not hasattr(raised.value, "__notes__")
    with pytest.raises(KeyboardInterrupt):
        Broken.dispatch("leave")


def test_a_job_that_fails_itself_raises_that(house: House) -> None:
    """The caller would otherwise take it for done; a release has nowhere to go and is nothing."""
    with pytest.raises(ManuallyFailed, match="no use"):
        Broken.dispatch("fail")
    Broken.dispatch("release")


def test_a_broken_hook_does_not_hide_the_failure(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged."""
    with pytest.raises(LookupError):
        Broken.dispatch("break the hook")
    assert "failed() of Broken raised in turn" in caplog.text
    assert "ValueError: hook" in caplog.text


@pytest.mark.fault("F43")
def test_a_failure_is_kept_where_failures_are_collected(house: House) -> None:
    """Whole, with the attempt that it was."""
    house.failed = house.main.failed
    with pytest.raises(LookupError):
        Broken.on_queue("mail").dispatch("boom")
    [kept] = house.failed.page().items
    assert (kept.connection, kept.queue, kept.job, kept.attempts) == ("sync", "mail", "Broken", 1)
    assert kept.message == "boom"


@pytest.mark.fault("F43")
def test_a_failed_store_that_is_down_does_not_hide_the_failure(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """The job's exception is the news; that it could not be kept is logged."""

    class Down(type(house.main.failed)):  # type: ignore[misc]  # the reference store, out of order
        def __init__(self) -> None: ...

        def add(self, records: Sequence[FailedRecord]) -> None:
            raise DriverUnavailable("Nobody there.")

    house.failed = Down()
    with pytest.raises(LookupError):
        Broken.dispatch("boom")
    assert "could not be kept: Nobody there." in caplog.text


@pytest.mark.fault("F43")
def test_jobs_may_run_inside_each_other(house: House) -> None:
    """To a depth; a job that dispatches itself for ever ends in a clear error, and nothing is retried."""
    Again.dispatch(20)
    assert seen == list(range(20, -1, -1))
    seen.clear()
    with pytest.raises(NestedTooDeeply, match="Again would be job number 101 that runs inside another one") as error:
        Again.dispatch(1_000)
    assert len(seen) == DEEPEST
    assert error.value.hint is not None


def test_coroutines_may_run_inside_each_other(house: House) -> None:
    """Each waits for the next, and they share no loop that could be stuck."""
    AgainAsync.dispatch(5)
    assert seen == [5, 4, 3, 2, 1, 0]


# In any program

PROGRAM = """
import sys
from queuectl import Job

class Greet(Job):
    who: str

    def handle(self) -> None:
        print("hello", self.who, self.attempts)

Greet.dispatch("ana")
print([module for module in ("typer", "rich", "redis", "PIL", "sqlite3") if module in sys.modules])
"""


def test_a_program_needs_no_setting_up(tmp_path: Path) -> None:
    """`from queuectl import Job` and dispatch: without any configuration it runs at once."""
    (tmp_path / "program.py").write_text(PROGRAM)
    ran = subprocess.run([sys.executable, "-W", "error", "program.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("hello ana 1\n[]\n", "")


def test_importing_the_package_is_light() -> None:
    """Neither pydantic nor the command line's libraries, until they are needed; a class alone needs none of them."""
    code = """
import sys
import queuectl
from queuectl import Job, job, current_job, InvalidArguments
class A(Job):
    x: int
    tries = 3
heavy = {"pydantic", "typer", "rich", "redis", "asyncio", "PIL", "sqlite3", "importlib.metadata", "queuectl.app"}
print(heavy & set(sys.modules), queuectl.__version__[0].isdigit(), sorted(queuectl.__all__) == queuectl.__all__)
for name in queuectl.__all__: getattr(queuectl, name)
"""
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("set() True True\n", "")
