"""From a reservation to its verdict, on the in-memory driver under a clock that a test moves."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers import build
from queuectl.drivers.contract import Driver, Reserved, Settlement
from queuectl.errors import DriverUnavailable
from queuectl.events import Event, JobDone, JobFailed, JobParked, JobReleased, LeaseLost, WorkerNote
from queuectl.jobs.limits import Limits, Settings
from queuectl.jobs.outcome import Done, Ending, Entry, Failed, Parked, Problem, Release, Report
from queuectl.jobs.payload import encode, new_uuid, watched
from queuectl.jobs.registry import Declaration
from queuectl.worker.children import Death
from queuectl.worker.docket import LONGEST_PARKING, MAX_CRASHES, Docket, minimal
from queuectl.worker.link import StoreLink
from queuectl.worker.notices import Notices

DECLARED = {"Mail": Declaration(Settings(), has_failed=True)}
RAISED = Report(Ending.RAISED, problem=Problem("builtins.ValueError", "no", "ValueError: no"))


@pytest.fixture
def driver(clock: FakeClock) -> Driver:
    return build(Connection(name="memory", driver="sync", retry_after=30), clock=clock)


class Desk:
    """A docket with its driver, its clock, and the events it emitted."""

    def __init__(self, driver: Driver, clock: FakeClock, flags: Limits) -> None:
        self.driver, self.clock = driver, clock
        self.events: list[Event] = []
        self.link = StoreLink(lambda text: None)
        self.docket = Docket(driver, self.link, flags=flags, grace=3600, clock=clock, emit=self.events.append)

    def push(self, payload: bytes | None = None, job: str = "Mail", **settings: object) -> None:
        uuid = new_uuid()
        made = encode(job=job, arguments="{}", uuid=uuid, **settings) if payload is None else payload  # type: ignore[arg-type]  # settings of encode
        self.driver.push([Entry("mail", made, uuid)])

    def reserve(self) -> Reserved | None:
        _, reserved = self.driver.exchange([], ["mail"], 1)
        return reserved[0] if reserved else None

    def open(self) -> int | None:
        reserved = self.reserve()
        assert reserved is not None
        opened = self.docket.open(reserved, DECLARED)
        return opened and opened[0]

    def settle(self) -> list[str]:
        """Offer what is unsettled to the store; the uuids whose hooks are wanted."""
        sending = list(self.docket.unsettled)
        verdicts, _ = self.driver.exchange([item.settlement for item in sending], [], 0)
        return [item.running.attempt.uuid for item in self.docket.take(sending, verdicts)]


@pytest.fixture
def desk(driver: Driver, clock: FakeClock) -> Desk:
    return Desk(driver, clock, Limits(tries=3))


def test_a_finished_job_is_done_when_the_store_says_so(desk: Desk) -> None:
    """The event comes with the verdict, not before."""
    desk.push()
    key = desk.open()
    assert key is not None
    desk.docket.close(key, Report(Ending.FINISHED))
    assert not any(isinstance(event, JobDone) for event in desk.events)
    desk.settle()
    assert isinstance(desk.events[-1], JobDone)
    assert desk.docket.held() == []


def test_the_end_of_a_watched_job_is_told_once_it_is_durable(desk: Desk, clock: FakeClock) -> None:
    """Not when it is only tried again, and not of jobs that nobody waits for."""
    notices = Notices(desk.driver, desk.link, desk.docket, clock)
    desk.push(watched(encode(job="Mail", arguments="{}", uuid="u", tries=2), "op-1"))
    desk.push()
    told = []
    for _ in range(3):
        key = desk.open()
        assert key is not None
        desk.docket.close(key, RAISED)
        notices.post()
        told.append(desk.driver.control.ends("op-1"))
        desk.settle()
        notices.post()
    [end] = desk.driver.control.ends("op-1")
    assert told == [[], [], [end]]
    assert (end.uuid, end.job, end.queue, end.done, end.attempts) == ("u", "Mail", "mail", False, 2)
    assert (end.error, end.message) == ("builtins.ValueError", "no")
    assert not desk.docket.awaited


def test_an_end_is_told_again_until_the_store_has_taken_it(desk: Desk, clock: FakeClock, driver: Driver) -> None:
    """As an outcome itself is."""
    desk.push(watched(encode(job="Mail", arguments="{}", uuid="u"), "op-1"))
    key = desk.open()
    assert key is not None
    desk.docket.close(key, Report(Ending.FINISHED))
    desk.settle()
    notices = Notices(desk.driver, desk.link, desk.docket, clock)
    desk.link.attempt(away)
    notices.post()
    assert driver.control.ends("op-1") == []
    notices = Notices(desk.driver, StoreLink(lambda text: None), desk.docket, clock)
    notices.post()
    assert [(end.uuid, end.done, end.error) for end in driver.control.ends("op-1")] == [("u", True, "")]


def away() -> None:
    raise DriverUnavailable


def test_backoff_is_exact(driver: Driver, clock: FakeClock) -> None:
    """10, 30, 60 seconds with four tries: never a second early, ready at the second, then failed."""
    desk = Desk(driver, clock, Limits(tries=4, backoff=(10, 30, 60)))
    desk.push()
    for wait in (10, 30, 60):
        key = desk.open()
        assert key is not None
        desk.docket.close(key, RAISED)
        desk.settle()
        assert isinstance(desk.events[-1], JobReleased)
        clock.sleep(wait - 1)
        assert desk.reserve() is None
        clock.sleep(1)
    key = desk.open()
    assert key is not None
    desk.docket.close(key, RAISED)
    assert desk.docket.hooks_to_come == 1
    assert len(desk.settle()) == 1
    assert isinstance(desk.events[-1], JobFailed)
    assert desk.driver.failed.count() == 1


@pytest.mark.fault("F34")
def test_bytes_that_are_no_payload_fail_without_running(desk: Desk) -> None:
    """They are kept whole, with what is wrong with them."""
    desk.push(b"not json")
    assert desk.open() is None
    desk.settle()
    [failed] = desk.driver.failed.page().items
    whole = desk.driver.failed.get(failed.uuid)
    assert whole is not None
    assert whole.payload == b"not json"
    assert "not JSON" in whole.message


@pytest.mark.fault("F33")
def test_an_unknown_name_waits_with_growing_pauses_and_then_fails(desk: Desk, clock: FakeClock) -> None:
    """A rolling deploy may still bring it; after an hour nobody will."""
    desk.push(job="Later")
    pauses: list[float] = []
    while desk.driver.failed.count() == 0:
        assert desk.open() is None
        [item] = desk.docket.unsettled
        if isinstance(item.outcome, Parked):
            pauses.append(item.outcome.after)
            clock.sleep(item.outcome.after)
        desk.settle()
        clock.sleep(pauses[-1])
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PARKING
    [failed] = desk.driver.failed.page().items
    assert "Known: Mail" in failed.message
    assert failed.attempts == 1


@pytest.mark.fault("F33")
def test_jobs_of_a_php_application_never_fail_by_our_hand(desk: Desk, clock: FakeClock) -> None:
    """They wait for one of its own workers."""
    desk.push(job="Illuminate\\Queue\\CallQueuedHandler@call")
    desk.open()
    desk.settle()
    clock.sleep(100_000)
    desk.open()
    desk.settle()
    assert isinstance(desk.events[-1], JobParked)
    assert desk.driver.failed.count() == 0


def test_a_job_that_was_attempted_too_often_does_not_start_again(driver: Driver, clock: FakeClock) -> None:
    """After a host was lost with the last attempt, the job fails with a sentence a person understands."""
    desk = Desk(driver, clock, Limits(tries=1))
    desk.push()
    desk.open()
    clock.sleep(31)
    assert desk.open() is None
    desk.settle()
    assert isinstance(desk.events[-1], JobFailed)


def test_a_late_outcome_changes_nothing_and_says_so(desk: Desk, clock: FakeClock) -> None:
    """The lease was lost: the verdict is told as such, once."""
    desk.push()
    key = desk.open()
    assert key is not None
    clock.sleep(31)
    assert desk.reserve() is not None
    desk.docket.close(key, Report(Ending.FINISHED))
    desk.settle()
    assert isinstance(desk.events[-1], LeaseLost)


def test_gone_after_an_uncertain_reply_means_it_had_been_applied(desk: Desk) -> None:
    """The resent outcome finds nothing left to do: that is success."""
    desk.push()
    key = desk.open()
    assert key is not None
    desk.docket.close(key, Report(Ending.FINISHED))
    [item] = desk.docket.unsettled
    desk.driver.exchange([item.settlement], [], 0)
    item.sent = True
    desk.settle()
    assert isinstance(desk.events[-1], JobDone)


def test_a_job_without_a_limit_that_kills_its_process_is_given_up(driver: Driver, clock: FakeClock) -> None:
    """Three deaths are enough, whatever its tries say."""
    desk = Desk(driver, clock, Limits(tries=0))
    desk.push()
    for _ in range(MAX_CRASHES):
        key = desk.open()
        assert key is not None
        desk.docket.close_dead([key], Death(signal.SIGKILL, 5 << 30, begun=frozenset({key})))
        desk.settle()
    [failed] = desk.driver.failed.page().items
    assert failed.message.endswith("killed by signal 9 (SIGKILL), peak memory 5.0 GB.")


def test_a_death_tells_where_it_struck(desk: Desk) -> None:
    """What the interpreter wrote at the end is part of the record."""
    desk.push(tries=1)
    key = desk.open()
    assert key is not None
    death = Death(signal.SIGSEGV, 0, begun=frozenset({key}), trace="Fatal Python error: in\0side")
    desk.docket.close_dead([key], death)
    [item] = desk.docket.unsettled
    assert isinstance(item.outcome, Failed)
    assert item.outcome.record.problem.text.endswith("\n\nFatal Python error: in\\u0000side")


def test_a_job_whose_child_died_before_it_began_has_not_been_attempted(desk: Desk) -> None:
    """It goes back with a note; should it happen again, the job itself may be what kills: that counts."""
    desk.push()
    for outcome in (Release(spared=True), Release(spared=False)):
        key = desk.open()
        assert key is not None
        desk.docket.close_dead([key], Death(signal.SIGKILL, 0, begun=frozenset({key - 1})))
        [item] = desk.docket.unsettled
        assert item.outcome == outcome
        desk.settle()
    notes = [event.text for event in desk.events if isinstance(event, WorkerNote)]
    assert len(notes) == 1
    assert "before it began Mail" in notes[0]
    again = desk.reserve()
    assert again is not None
    assert again.attempts == 2


def open_several(desk: Desk, count: int) -> list[int]:
    """The keys of so many jobs that run."""
    for _ in range(count):
        desk.push()
    return [key for _ in range(count) if (key := desk.open()) is not None]


def test_of_several_jobs_whose_child_died_each_runs_again_alone(desk: Desk) -> None:
    """Nobody knows which it was, not even where one alone had begun: another may kill while it is being made."""
    keys = open_several(desk, 3)
    desk.docket.close_dead(keys, Death(signal.SIGKILL, 0, begun=frozenset(keys[1:2])))
    assert desk.docket.unsettled == []
    assert len(desk.docket.held()) == 3
    assert [found and found[0] for found in (desk.docket.next_suspect() for _ in range(4))] == [*keys, None]
    assert isinstance(desk.events[-1], WorkerNote)
    assert "ran 3 jobs" in desk.events[-1].text


def test_a_suspect_whose_lease_is_gone_is_not_begun_again(desk: Desk) -> None:
    """Another worker may have it by now."""
    first, second = open_several(desk, 2)
    desk.docket.close_dead([first, second], Death(signal.SIGKILL, 0, begun=frozenset({first, second})))
    desk.docket.lose(desk.docket.running[first])
    assert desk.docket.next_suspect() == (second, desk.docket.running[second])
    assert desk.docket.next_suspect() is None
    assert list(desk.docket.running) == [second]


def test_only_what_was_late_is_to_blame_for_being_killed(desk: Desk) -> None:
    """Its neighbours in the same child are spared."""
    first, second = open_several(desk, 2)
    begun = frozenset({first, second})
    desk.docket.close_dead([first, second], Death(signal.SIGKILL, 0, begun=begun), Ending.TIMED_OUT, {first})
    assert [item.outcome for item in desk.docket.unsettled] == [Release(), Release(spared=True)]


@pytest.mark.parametrize("ending", [Ending.FINISHED, Ending.RAISED, Ending.RELEASED])
def test_a_job_that_completed_itself_is_done(desk: Desk, ending: Ending) -> None:
    """Its row is gone because its own transaction removed it, whatever came of the run afterwards."""
    desk.push()
    key = desk.open()
    assert key is not None
    desk.driver.clear("mail")
    desk.docket.close(key, replace(RAISED if ending is Ending.RAISED else Report(ending), joined=True))
    desk.settle()
    assert isinstance(desk.events[-1], JobDone)
    assert desk.docket.counts == {"done:mail": 1}


def test_a_job_that_completed_itself_before_its_child_died_is_done(desk: Desk) -> None:
    """Alone, or with others, of which it is no suspect."""
    [alone] = open_several(desk, 1)
    desk.driver.clear("mail")
    joined = frozenset({alone})
    desk.docket.close_dead([alone], Death(signal.SIGKILL, 0, begun=joined, joined=joined))
    desk.settle()
    assert isinstance(desk.events[-1], JobDone)
    first, second = open_several(desk, 2)
    gone = desk.docket.running[first].reserved
    desk.driver.exchange([Settlement(gone, Done())], [], 0)
    both = frozenset({first, second})
    desk.docket.close_dead([first, second], Death(signal.SIGKILL, 0, begun=both, joined=both))
    assert list(desk.docket.suspects) == [second]
    desk.settle()
    assert isinstance(desk.events[-1], JobDone)


def test_suspects_that_cannot_run_again_go_back(desk: Desk) -> None:
    """A worker that stops has no time to try them out."""
    keys = open_several(desk, 2)
    desk.docket.close_dead(keys, Death(signal.SIGKILL, 0, begun=frozenset(keys)))
    desk.docket.release_suspects()
    assert [item.outcome for item in desk.docket.unsettled] == [Release(spared=True)] * 2
    assert desk.docket.running == {}


def test_exceptions_are_counted_apart_from_attempts(driver: Driver, clock: FakeClock) -> None:
    """Two exceptions end a job whose releases may go on."""
    desk = Desk(driver, clock, Limits(tries=0))
    desk.push(max_exceptions=2)
    for report in (RAISED, Report(Ending.RELEASED), RAISED):
        key = desk.open()
        assert key is not None
        desk.docket.close(key, report)
        desk.settle()
    assert desk.driver.failed.count() == 1


def test_what_we_interrupted_is_not_held_against_the_job(desk: Desk) -> None:
    """It goes back at once, and its next attempt has the same number."""
    desk.push()
    key = desk.open()
    assert key is not None
    desk.docket.close_dead([key], Death(signal.SIGKILL, 0), Ending.INTERRUPTED)
    [item] = desk.docket.unsettled
    assert item.outcome == Release(0.0, spared=True)
    desk.settle()
    again = desk.reserve()
    assert again is not None
    assert again.attempts == 1


def test_deaths_are_told_in_words() -> None:
    """A signal by its name, an exit by its code."""
    assert str(Death(signal.SIGSEGV, 1900 << 20)) == "killed by signal 11 (SIGSEGV), peak memory 1.9 GB"
    assert str(Death(3 << 8, 100 << 20)) == "exited with code 3 in mid-job, peak memory 100 MB"
    assert os.WIFEXITED(3 << 8)


@pytest.mark.fault("F37")
def test_a_refused_record_has_a_plain_form(desk: Desk) -> None:
    """Only failures carry text; the payload stays whole."""
    desk.push()
    key = desk.open()
    assert key is not None
    desk.docket.close(key, Report(Ending.FAILED, problem=Problem("x\ud800", "y", "z")))
    [item] = desk.docket.unsettled
    plain = minimal(item.outcome)
    assert isinstance(plain, Failed)
    assert isinstance(item.outcome, Failed)
    assert plain.record.payload == item.outcome.record.payload
    assert plain.record.problem.type == "x?"
    assert minimal(Release()) == Release()
