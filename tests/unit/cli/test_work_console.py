"""The lines of a worker, for people and for programs."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest

from queuectl.commands.output import Output
from queuectl.commands.work_console import Console, JsonConsole
from queuectl.events import (
    Event,
    JobDone,
    JobFacts,
    JobFailed,
    JobParked,
    JobReleased,
    JobStarting,
    LeaseLost,
    QueuePaused,
    QueueResumed,
    WorkerNote,
    WorkerStarted,
    WorkerStopped,
)
from tests.unit.cli.conftest import Terminal

AT = 1_800_000_000.0
JOB = JobFacts("database", "mail", "7", "u-1", "SendWelcome", 2)
STARTING, DONE = JobStarting(JOB, AT), JobDone(JOB, AT, 0.01234)
RETRIED = JobReleased(JOB, AT, 1.5, 10, "builtins.ValueError", "no \x1b[2J", "text")
RELEASED = JobReleased(JOB, AT, 0.1, 5)
FAILED = JobFailed(JOB, AT, 0.1, "builtins.ValueError", "password=s3cr3t-canary", "text")
ALL: tuple[Event, ...] = (
    STARTING,
    DONE,
    RETRIED,
    RELEASED,
    FAILED,
    JobParked(JOB, AT, "unknown job X", 5),
    LeaseLost(JOB, AT, 31),
    WorkerStarted("database", ("high", "low"), AT),
    WorkerStopped("empty", 0, 3, AT),
    QueuePaused("mail", AT),
    QueueResumed("mail", AT),
    WorkerNote("The connection is lost.", AT),
)


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def output(*, terminal: bool = False, quiet: bool = False) -> Output:
    stream = Terminal if terminal else StringIO
    return Output(stream(), stream(), StringIO(), {"TERM": "xterm"}, quiet)


def printed(*events: Event, verbosity: int = 0, terminal: bool = False, quiet: bool = False) -> tuple[str, str]:
    out = output(terminal=terminal, quiet=quiet)
    console = Console(out, verbosity=verbosity)
    for event in events:
        console(event)
    return out.stdout.getvalue(), out.stderr.getvalue()  # type: ignore[attr-defined]  # both are StringIO


def records(*events: Event) -> list[dict[str, Any]]:
    out = output()
    console = JsonConsole(out)
    for event in events:
        console(event)
    return [json.loads(line) for line in out.stdout.getvalue().splitlines()]  # type: ignore[attr-defined]  # StringIO


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (STARTING, r"RUNNING"),
        (DONE, r"12\.34ms DONE"),
        (RETRIED, r"1s FAIL"),
        (RELEASED, r"100\.00ms RELEASED"),
        (FAILED, r"100\.00ms FAIL"),
    ],
)
def test_a_job_has_artisans_line(event: Event, end: str) -> None:
    """Time, name, dots to the width, what became of it."""
    out, err = printed(event)
    assert re.fullmatch(rf"  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d SendWelcome \.+ {end}\n", out)
    assert len(out) == 81
    assert err == ""


def test_the_colour_tells_whether_it_will_run_again() -> None:
    """FAIL in yellow is an attempt, in red the end."""
    assert "\x1b[33;1mFAIL" in printed(RETRIED, terminal=True)[0]
    assert "\x1b[31;1mFAIL" in printed(FAILED, terminal=True)[0]
    assert "\x1b[32;1mDONE" in printed(DONE, terminal=True)[0]


def test_v_says_which_job_and_why() -> None:
    """The id, connection and queue beside the name; the error on stderr, harmless and without secrets."""
    out, err = printed(RETRIED, FAILED, verbosity=1)
    assert "SendWelcome 7 database mail ." in out
    assert "ValueError: no \\x1b[2J" in err
    assert "s3cr3t-canary" not in err


def test_pauses_and_notes() -> None:
    """Pauses are lines of their own; what an operator should read goes to stderr."""
    out, err = printed(QueuePaused("mail", AT), QueueResumed("mail", AT), WorkerNote("The connection is lost.", AT))
    assert re.search(r"Queue mail \.+ PAUSED\n.*Queue mail \.+ RESUMED\n", out)
    assert err == "warn: The connection is lost.\n"


def test_an_unknown_job_is_a_note_with_a_remedy() -> None:
    """Whoever forgot a module in the configuration reads where to put it."""
    err = printed(JobParked(JOB, AT, "unknown job X", 2.36641))[1]
    assert "waits 2 s: unknown job X. `queuectl jobs` lists those" in err


def test_the_greeting_is_for_terminals() -> None:
    """Logs begin with the first job."""
    started = WorkerStarted("database", ("high", "low"), AT)
    assert "Processing jobs from the" in printed(started, terminal=True)[1]
    assert printed(started) == ("", "")


def test_quiet_means_quiet() -> None:
    """With -q only warnings are left."""
    assert printed(STARTING, DONE, RETRIED, FAILED, QueuePaused("mail", AT), quiet=True) == ("", "")


def test_json_has_artisans_keys_and_words() -> None:
    """Falsy values are left out, as there; a failed job's result is `failed`, which is better than there."""
    starting, done, retried, released, failed = records(STARTING, DONE, RETRIED, RELEASED, FAILED)
    assert starting.items() >= {"level": "info", "id": "7", "uuid": "u-1", "status": "starting", "attempts": 2}.items()
    assert "duration" not in starting
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d", starting["timestamp"])
    assert (done["status"], done["result"], done["duration"]) == ("success", "deleted", 0.01234)
    assert (retried["status"], retried["result"], retried["level"]) == (
        "released_after_exception",
        "released",
        "warning",
    )
    assert (retried["exception"], retried["message"]) == ("builtins.ValueError", "no \x1b[2J")
    assert (released["status"], "exception" in released) == ("released", False)
    assert (failed["status"], failed["result"], failed["message"]) == ("failed", "failed", "password=***")


def test_json_says_pauses_and_nothing_that_is_no_record() -> None:
    """Notes go to stderr, so that each line of stdout is an object."""
    assert [record["status"] for record in records(*ALL)] == [
        "starting",
        "success",
        "released_after_exception",
        "released",
        "failed",
        "parked",
        "lease_lost",
        "paused",
        "resumed",
    ]


def test_a_long_message_is_cut() -> None:
    """A log is no place for ten megabytes."""
    huge = JobFailed(JOB, AT, 0.1, "E", "x" * 10_000_000, "text")
    assert len(json.dumps(records(huge))) < 5_000


class Closed(StringIO):
    """A pipe that nobody reads."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_goes_away_never_stops_a_worker() -> None:
    """`work | head`, or a log that is gone: the worker works on."""
    out = Output(Closed(), Closed(), StringIO(), {})
    for event in ALL:
        Console(out, verbosity=1)(event)
        JsonConsole(out)(event)
    assert out.gone
