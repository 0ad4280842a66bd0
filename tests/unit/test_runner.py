"""The runner says how a run ended, whatever the job does; judging it is pure."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuectl.errors import AttemptsExceeded, InvalidArguments, JobFailed, JobTimeout, ManuallyFailed, TimedOut
from queuectl.jobs.arguments import dump
from queuectl.jobs.definition import Job, registered_name
from queuectl.jobs.function import job
from queuectl.jobs.limits import Limits
from queuectl.jobs.outcome import Done, Ending, Failed, Release, Report
from queuectl.jobs.payload import encode
from queuectl.jobs.problem import problem
from queuectl.jobs.registry import Registry
from queuectl.jobs.running import current_job
from queuectl.runner import Attempt, Runner, judge, no_alarm, refuse_late
from queuectl.worker.alarm import Alarm

NOW = 1_800_000_000.0
where: ContextVar[str] = ContextVar("where", default="nowhere")
seen: list[Any] = []


class Work(Job):
    """Does what its argument names."""

    what: str = "finish"

    def handle(self) -> None:
        ACTS[self.what](self)

    def failed(self, error: BaseException) -> None:
        seen.append((self.what, self.uuid, self.attempts, error))
        if self.what == "break the hook":
            raise ValueError("hook")


class Slow(Job):
    what: str = "finish"

    async def handle(self) -> None:
        await ASYNC_ACTS[self.what](self)

    async def failed(self, error: BaseException) -> None:
        await asyncio.sleep(0)
        seen.append((self.what, self.uuid, self.attempts, error))


class Plain(Job):
    n: int

    def handle(self) -> None:
        seen.append(self.n)


@job
def greet(name: str) -> None:
    seen.append((name, current_job().attempts, current_job().uuid))
    current_job().release(5)


def _raise(error: BaseException) -> Callable[[Any], None]:
    def act(_job: Job) -> None:
        raise error

    return act


def _fail_and_raise(job: Job) -> None:
    job.fail("no use")
    raise ValueError("afterwards")


def _release_and_raise(job: Job) -> None:
    job.release(7)
    raise ValueError("afterwards")


def _release_and_fail(job: Job) -> None:
    job.fail(ValueError("mine"))
    job.release(7)


def _spin(_job: Job) -> None:
    while True:
        pass


def _swallow(job: Job) -> None:
    try:
        _spin(job)
    except Exception:
        seen.append("swallowed")


ACTS: dict[str, Callable[[Any], None]] = {
    "finish": lambda job: seen.append((job.attempts, job.uuid, where.get(), threading.current_thread())),
    "raise": _raise(ValueError("boom")),
    "exit": _raise(SystemExit(3)),
    "interrupt": _raise(KeyboardInterrupt()),
    "break the hook": _raise(ValueError("boom")),
    "release": lambda job: job.release(7),
    "fail": lambda job: job.fail("no use"),
    "fail silently": lambda job: job.fail(),
    "fail and raise": _fail_and_raise,
    "release and raise": _release_and_raise,
    "release and fail": _release_and_fail,
    "spin": _spin,
    "swallow": _swallow,
}


async def _see(job: Job) -> None:
    await asyncio.sleep(0)
    seen.append((job.attempts, job.uuid, where.get(), asyncio.get_running_loop()))


async def _wait(_job: Job) -> None:
    await asyncio.Event().wait()


async def _own_timeout(_job: Job) -> None:
    raise TimeoutError("a server's")


async def _exit(_job: Job) -> None:
    raise SystemExit(3)


async def _cancelled(_job: Job) -> None:
    raise asyncio.CancelledError


async def _meet(_job: Job) -> None:
    seen.append("here")
    while seen.count("here") < 3:
        await asyncio.sleep(0.001)


async def _nest(_job: Job) -> None:
    runner, other = seen.pop()
    seen.append(runner.run(attempt(other)))


ASYNC_ACTS: dict[str, Callable[[Any], Any]] = {
    "finish": _see,
    "wait": _wait,
    "own timeout": _own_timeout,
    "exit": _exit,
    "cancelled": _cancelled,
    "meet": _meet,
    "nest": _nest,
}


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    for cls in (Work, Slow, Plain, greet.job):
        registry.add(cls)
    return registry


@pytest.fixture
def runner(registry: Registry) -> Iterator[Runner]:
    seen.clear()
    runner = Runner(registry)
    yield runner
    runner.close()


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    former = signal.getsignal(signal.SIGALRM)
    alarm = Alarm()
    alarm.install()
    yield alarm
    signal.signal(signal.SIGALRM, former)


def attempt(job: Job, *, attempts: int = 1, uuid: str = "u-1") -> Attempt:
    name = registered_name(type(job))
    return Attempt("main", "mail", encode(job=name, arguments=dump(job), uuid=uuid), uuid, name, attempts)


def raw(payload: bytes) -> Attempt:
    return Attempt("main", "mail", payload, "u-1", "", 1)


def test_a_job_that_returns_is_finished(runner: Runner) -> None:
    """It ran in this thread and context, and knew its attempt and uuid."""
    token = where.set("here")
    assert runner.run(attempt(Work(), attempts=3)) == Report(Ending.FINISHED)
    where.reset(token)
    assert seen == [(3, "u-1", "here", threading.current_thread())]


@pytest.mark.parametrize(
    ("what", "kind"),
    [("raise", "builtins.ValueError"), ("exit", "builtins.SystemExit"), ("interrupt", "builtins.KeyboardInterrupt")],
)
def test_whatever_a_job_raises_is_its_ending(runner: Runner, what: str, kind: str) -> None:
    """Also what would end the process."""
    report = runner.run(attempt(Work(what)))
    assert report.ending is Ending.RAISED
    assert report.problem is not None
    assert report.problem.type == kind
    assert "_raise" not in report.problem.text.splitlines()[0]
    assert "in handle" in report.problem.text
    assert "running.py" not in report.problem.text


@pytest.mark.fault("X10")
def test_a_traceback_holds_no_values(runner: Runner) -> None:
    """Local variables are where secrets are."""
    report = runner.run(attempt(Work("raise")))
    assert report.problem is not None
    assert "u-1" not in report.problem.text


@pytest.mark.fault("F34")
@pytest.mark.parametrize("payload", [b"", b"junk", b"{}", b"[]", b'{"job":""}', b"\xff", b'{"job":5}', b"[" * 100_000])
def test_a_payload_that_is_none_is_refused(runner: Runner, payload: bytes) -> None:
    """No further attempt would understand it better."""
    report = runner.run(raw(payload))
    assert report.ending is Ending.REFUSED
    assert report.problem is not None
    assert report.problem.type == "queuectl.errors.MalformedPayload"


@pytest.mark.fault("F33")
@pytest.mark.parametrize("data", ['{"n":"x"}', "[1,2]", '{"m":1}', "5", '{"args":"{\\"n\\":null}"}', "null"])
def test_arguments_that_do_not_fit_are_refused(runner: Runner, data: str) -> None:
    """`handle` is not called with them."""
    report = runner.run(raw(f'{{"job":"Plain","data":{data}}}'.encode()))
    assert report.ending is Ending.REFUSED
    assert report.problem is not None
    assert report.problem.message.startswith("Plain cannot take these arguments: ")
    assert seen == []


def test_what_php_pushed_runs(runner: Runner) -> None:
    """By name and by position."""
    for data in ('{"n":1}', "[2]"):
        assert runner.run(raw(f'{{"job":"Plain","data":{data}}}'.encode())).ending is Ending.FINISHED
    assert seen == [1, 2]


@pytest.mark.fault("F33")
def test_an_unregistered_name_is_unknown(runner: Runner) -> None:
    """With the known names in the problem."""
    report = runner.run(raw(b'{"job":"os.system","data":["true"]}'))
    assert report.ending is Ending.UNKNOWN
    assert report.problem is not None
    assert "Known: Plain, ProcessImageJob" in report.problem.message


def test_a_job_may_release_or_fail_itself(runner: Runner) -> None:
    """The run goes on; what was asked for is its ending."""
    assert runner.run(attempt(Work("release"))) == Report(Ending.RELEASED, 7.0)
    failed = runner.run(attempt(Work("fail")))
    assert failed == Report(Ending.FAILED, problem=problem(ManuallyFailed, "no use"))
    silent = runner.run(attempt(Work("fail silently")))
    assert silent.problem == problem(ManuallyFailed, "Work failed itself.")


def test_what_a_job_asked_for_stands_whatever_it_raises(runner: Runner) -> None:
    """The exception is kept in the problem; failing stands above releasing."""
    failed = runner.run(attempt(Work("fail and raise")))
    assert failed.ending is Ending.FAILED
    assert failed.problem is not None
    assert failed.problem.message == "no use"
    assert "Afterwards it raised:" in failed.problem.text
    assert "ValueError: afterwards" in failed.problem.text
    released = runner.run(attempt(Work("release and raise")))
    assert (released.ending, released.after) == (Ending.RELEASED, 7.0)
    assert released.problem is not None
    assert released.problem.message == "afterwards"
    both = runner.run(attempt(Work("release and fail")))
    assert both.problem is not None
    assert (both.ending, both.problem.message) == (Ending.FAILED, "mine")


def test_a_function_finds_its_run_with_current_job(runner: Runner) -> None:
    """What `self` is to a class."""
    assert runner.run(attempt(greet.to_job("ana"), attempts=2)) == Report(Ending.RELEASED, 5.0)
    assert seen == [("ana", 2, "u-1")]


# Time limits


def test_a_job_beyond_its_timeout_is_timed_out(runner: Runner, alarm: Alarm) -> None:
    """The problem says so, and where it was; an `except Exception` of the job does not swallow it."""
    for what in ("spin", "swallow"):
        report = runner.run(attempt(Work(what)), timeout=0.02, alarm=alarm)
        assert report.ending is Ending.TIMED_OUT
        assert report.problem is not None
        assert report.problem.type == "queuectl.errors.TimedOut"
        assert report.problem.message == "Work ran longer than its timeout of 0.02 s."
        assert "in _spin" in report.problem.text
    assert seen == []


def test_a_job_within_its_timeout_is_finished(runner: Runner, alarm: Alarm) -> None:
    """And no alarm is left behind."""
    assert runner.run(attempt(Work()), timeout=60, alarm=alarm).ending is Ending.FINISHED
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("what", "ending"), [("finish", Ending.FINISHED), ("raise", Ending.RAISED), ("release", Ending.RELEASED)]
)
def test_an_alarm_that_comes_too_late_changes_nothing(runner: Runner, what: str, ending: Ending) -> None:
    """The call was over; how it ended stands, and nothing leaks out of the run."""

    @contextmanager
    def late(_seconds: float) -> Iterator[None]:
        try:
            yield
        finally:
            raise JobTimeout

    assert runner.run(attempt(Work(what)), timeout=1, alarm=late).ending is ending


def test_alarms_at_every_moment_end_in_one_of_two_ways(runner: Runner, alarm: Alarm) -> None:
    """Timed out or finished: never raised, never out of the run, whichever instruction they hit."""
    endings = {runner.run(attempt(Work()), timeout=n * 2e-6, alarm=alarm).ending for n in range(1, 200)}
    assert endings <= {Ending.FINISHED, Ending.TIMED_OUT}


# Coroutines


def test_a_coroutine_runs_on_one_loop(runner: Runner) -> None:
    """The same for every run, with the caller's context."""
    token = where.set("here")
    for attempts in (1, 2):
        assert runner.run(attempt(Slow(), attempts=attempts)) == Report(Ending.FINISHED)
    where.reset(token)
    (first, *_, loop), (second, *_, again) = seen
    assert (first, second) == (1, 2)
    assert loop is again
    assert seen[0][2] == "here"


def test_a_coroutine_beyond_its_timeout_is_cancelled(runner: Runner) -> None:
    """The problem shows where it waited; the alarm's time is not for coroutines."""

    def untimed(seconds: float) -> Any:
        assert seconds == 0
        return no_alarm(seconds)

    report = runner.run(attempt(Slow("wait")), timeout=0.02, alarm=untimed)
    assert report.ending is Ending.TIMED_OUT
    assert report.problem is not None
    assert report.problem.message == "Slow ran longer than its timeout of 0.02 s."
    assert "in _wait" in report.problem.text


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("own timeout", "builtins.TimeoutError"),
        ("exit", "builtins.SystemExit"),
        ("cancelled", "asyncio.exceptions.CancelledError"),
    ],
)
def test_what_a_coroutine_raises_is_its_ending(runner: Runner, what: str, kind: str) -> None:
    """A TimeoutError of its own is no timeout of the job, and nothing ends the loop."""
    report = runner.run(attempt(Slow(what)), timeout=60)
    assert report.ending is Ending.RAISED
    assert report.problem is not None
    assert report.problem.type == kind
    assert runner.run(attempt(Slow())).ending is Ending.FINISHED


def test_a_coroutine_behind_a_plain_function_is_awaited(runner: Runner, registry: Registry) -> None:
    """A decorator that does not know of `async` hides it; the job still runs."""

    class Hidden(Job):
        def handle(self) -> Any:
            return _see(self)

    registry.add(Hidden)
    assert runner.run(attempt(Hidden())) == Report(Ending.FINISHED)
    assert seen[0][:2] == (1, "u-1")


def test_coroutines_of_several_threads_run_together(runner: Runner) -> None:
    """Three jobs that wait for each other all finish."""
    with ThreadPoolExecutor(3) as pool:
        endings = list(pool.map(lambda n: runner.run(attempt(Slow("meet"), uuid=str(n)), timeout=30).ending, range(3)))
    assert endings == [Ending.FINISHED] * 3


def test_a_coroutine_may_run_another_and_wait(runner: Runner) -> None:
    """Though its own loop is busy with it."""
    seen.append((runner, Slow()))
    assert runner.run(attempt(Slow("nest")), timeout=30) == Report(Ending.FINISHED)
    assert seen[-1] == Report(Ending.FINISHED)


def test_closing_cancels_what_still_runs(registry: Registry) -> None:
    """And leaves no thread behind."""
    runner = Runner(registry)
    seen.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(runner.run, attempt(Slow("wait")))
        assert runner.run(attempt(Slow())).ending is Ending.FINISHED
        while not waiting.done():
            runner.close()
        assert waiting.result().ending is Ending.RAISED
    runner.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "queuectl-async"]


# failed()


def test_the_hook_gets_what_the_job_raised(runner: Runner) -> None:
    """The very object, on a fresh copy of the job; once."""
    failing = attempt(Work("raise"), attempts=3)
    report = runner.run(failing)
    raised = runner.error_of(failing)
    assert report.problem is not None
    assert runner.call_failed(failing, report.problem) is None
    assert seen == [("raise", "u-1", 3, raised)]
    assert isinstance(raised, ValueError)
    assert runner.error_of(failing) is None


def test_the_hook_of_a_death_gets_a_failure_that_says_why(runner: Runner) -> None:
    """Nobody saw an exception: one of ours stands for it, never a class that a stored text names."""
    why = problem(TimedOut, "Work ran longer than its timeout.")
    assert runner.call_failed(attempt(Work()), why) is None
    forged = problem(ValueError, "x")
    assert runner.call_failed(attempt(Slow()), forged) is None
    assert [(type(error), str(error)) for *_, error in seen] == [(TimedOut, why.message), (JobFailed, "x")]


def test_the_hook_of_a_timeout_gets_timed_out(runner: Runner, alarm: Alarm) -> None:
    """Not the bare alarm."""
    failing = attempt(Work("spin"))
    report = runner.run(failing, timeout=0.01, alarm=alarm)
    assert report.problem is not None
    runner.call_failed(failing, report.problem)
    assert [type(error) for *_, error in seen] == [TimedOut]


def test_what_the_hook_raises_is_its_own_problem(runner: Runner) -> None:
    """It does not replace the job's."""
    failing = attempt(Work("break the hook"))
    report = runner.run(failing)
    assert report.problem is not None
    found = runner.call_failed(failing, report.problem)
    assert found is not None
    assert found.message == "hook"


@pytest.mark.parametrize(
    "payload", [b"junk", b'{"job":"Nobody"}', b'{"job":"Plain","data":[]}', b'{"job":"Plain","data":[1]}']
)
def test_where_there_is_no_hook_nothing_is_called(runner: Runner, payload: bytes) -> None:
    """No job can be made of it, or its class has none."""
    assert runner.call_failed(raw(payload), problem(JobFailed, "x")) is None
    assert seen == []


def test_only_the_latest_exceptions_are_kept(runner: Runner) -> None:
    """A worker that runs for weeks does not collect them."""
    attempts = [attempt(Work("raise"), uuid=str(n)) for n in range(40)]
    for one in attempts:
        runner.run(one)
    kept = [one.uuid for one in attempts if runner.error_of(one)]
    assert kept == [str(n) for n in range(24, 40)]


# Judging

WHY = problem(InvalidArguments, "x")
limits = st.builds(
    Limits,
    tries=st.integers(0, 4),
    backoff=st.sampled_from([(0,), (10, 30, 60)]),
    max_exceptions=st.none() | st.integers(1, 4),
    fail_on_timeout=st.booleans(),
    retry_until=st.none() | st.sampled_from([NOW - 1, NOW, NOW + 1]),
)
ONE = Attempt("main", "mail", b"{}", "u-1", "Work", 1)


def numbered(attempts: int) -> Attempt:
    return Attempt("main", "mail", b"{}", "u-1", "Work", attempts)


def test_endings_without_a_choice() -> None:
    """Finished is done; released and interrupted go back; failed and refused fail, whatever tries are left."""
    plenty = Limits(tries=0)
    assert judge(Report(Ending.FINISHED), ONE, plenty, now=NOW) == Done()
    assert judge(Report(Ending.RELEASED, 7), ONE, plenty, now=NOW) == Release(7)
    assert judge(Report(Ending.INTERRUPTED), ONE, plenty, now=NOW) == Release(0, spared=True)
    for ending in (Ending.FAILED, Ending.REFUSED):
        outcome = judge(Report(ending, problem=WHY), ONE, plenty, now=NOW)
        assert isinstance(outcome, Failed)
        assert outcome.record.problem == WHY
    with pytest.raises(ValueError, match="parked"):
        judge(Report(Ending.UNKNOWN), ONE, plenty, now=NOW)


@given(st.sampled_from([Ending.RAISED, Ending.TIMED_OUT, Ending.DIED]), limits, st.integers(1, 6), st.integers(0, 5))
def test_an_unsuccessful_attempt_is_repeated_until_a_limit_is_reached(
    ending: Ending, limits: Limits, attempts: int, exceptions: int
) -> None:
    """Tries, or the moment that replaces them; exceptions; the first timeout if so declared."""
    outcome = judge(Report(ending, problem=WHY), numbered(attempts), limits, now=NOW, exceptions=exceptions)
    tries_over = limits.retry_until is None and 0 < limits.tries <= attempts
    time_over = limits.retry_until is not None and limits.retry_until <= NOW
    too_many = limits.max_exceptions is not None and exceptions >= limits.max_exceptions
    at_once = ending is Ending.TIMED_OUT and limits.fail_on_timeout
    if tries_over or time_over or too_many or at_once:
        assert isinstance(outcome, Failed)
        assert outcome.record.attempts == attempts
    else:
        assert outcome == Release(limits.pause_after(attempts))


def test_backoff_grows_and_its_last_step_repeats() -> None:
    """By the number of attempts."""
    stepped = Limits(tries=0, backoff=(10, 30, 60))
    pauses = [judge(Report(Ending.RAISED), numbered(n), stepped, now=NOW) for n in range(1, 6)]
    assert pauses == [Release(10), Release(30), Release(60), Release(60), Release(60)]


def test_an_attempt_beyond_its_limits_does_not_start() -> None:
    """Its failure says what was used up."""
    assert refuse_late(numbered(3), Limits(tries=3), NOW) is None
    late = refuse_late(numbered(4), Limits(tries=3), NOW)
    assert late is not None
    assert late.record.problem == problem(
        AttemptsExceeded, "Work has been attempted too many times: this would be attempt 4 of 3."
    )
    assert refuse_late(numbered(9), Limits(tries=3, retry_until=NOW), NOW) is None
    expired = refuse_late(ONE, Limits(tries=3, retry_until=NOW - 1), NOW)
    assert expired is not None
    assert "was to be tried until 2027-01-15 07:59:59+00:00; that time has passed" in expired.record.problem.message


def test_a_failure_without_a_problem_still_has_a_record() -> None:
    """Every row of the failed store says something."""
    outcome = judge(Report(Ending.DIED), ONE, Limits(), now=NOW)
    assert isinstance(outcome, Failed)
    assert outcome.record.problem.message == "Work failed without giving a reason."
    assert (outcome.record.uuid, outcome.record.queue, outcome.record.failed_at) == ("u-1", "mail", NOW)
