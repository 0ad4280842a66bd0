"""Long work says how far it has got."""

from __future__ import annotations

import re
from io import StringIO

from queuectl.cli import main
from queuectl.clock import FakeClock
from queuectl.commands.output import Output
from queuectl.commands.progress import Progress
from tests.unit.cli.conftest import Interrupted, Site, Terminal, failed_record

UUIDS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(1200)]


def output(stream: type[StringIO] = StringIO, **settings: bool) -> Output:
    return Output(stream(), stream(), StringIO(), {"TERM": "xterm"}, **settings)


def test_short_work_says_nothing() -> None:
    """Neither on a terminal nor in a log."""
    for stream in (StringIO, Terminal):
        said = output(stream)
        with Progress(said, "jobs looked at", 10, clock=FakeClock().now) as progress:
            assert list(progress.over(range(10))) == list(range(10))
        assert said.stderr.getvalue() == ""


def test_a_log_gets_a_line_every_five_seconds() -> None:
    """How many, of how many, and what was done with them."""
    said, clock = output(), FakeClock()
    progress = Progress(said, "jobs looked at", 3000, clock=clock.now)
    progress.say("7 deleted")
    for _ in range(12):
        progress.tick(100)
        clock.sleep(1)
    assert said.stderr.getvalue().splitlines() == [
        "600 of 3,000 jobs looked at, 7 deleted.",
        "1,100 of 3,000 jobs looked at, 7 deleted.",
    ]


def test_a_total_that_nobody_knows_is_not_shown() -> None:
    """And one that turns out to be too small follows."""
    for total, line in ((None, "20 jobs looked at so far.\n"), (10, "20 of 20 jobs looked at.\n")):
        said, clock = output(), FakeClock()
        progress = Progress(said, "jobs looked at", total, clock=clock.now)
        clock.sleep(6)
        progress.tick(20)
        assert said.stderr.getvalue() == line


def test_a_terminal_gets_a_bar_that_leaves_nothing_behind() -> None:
    """On stderr alone; it is taken away before anything else is said."""
    said, clock = output(Terminal), FakeClock()
    with Progress(said, "jobs looked at", 3000, clock=clock.now) as progress:
        clock.sleep(1)
        progress.tick(1500)
        shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.stderr.getvalue())
        assert "1500/3000 jobs looked at" in shown
    assert said.stderr.getvalue().rstrip().endswith("\x1b[2K")
    assert said.stdout.getvalue() == ""


def test_a_terminal_that_draws_nothing_gets_lines() -> None:
    """As in an editor's shell."""
    said, clock = output(Terminal), FakeClock()
    said.environment = {"TERM": "dumb"}
    progress = Progress(said, "jobs looked at", clock=clock.now)
    clock.sleep(6)
    progress.tick(20)
    assert said.stderr.getvalue() == "20 jobs looked at so far.\n"


def test_quiet_work_is_quiet() -> None:
    """`-q`: data and errors only."""
    said, clock = output(quiet=True), FakeClock()
    progress = Progress(said, "jobs looked at", clock=clock.now)
    clock.sleep(60)
    progress.tick()
    assert said.stderr.getvalue() == ""


def test_a_terminal_is_not_flooded(ready: Site) -> None:
    """A few jobs get a line each; of many, the number is told."""
    with ready.driver() as driver:
        driver.failed.add([failed_record(uuid) for uuid in UUIDS])
    assert ready.run("retry", *UUIDS[:3], terminal=True).out.count("DONE") == 3
    run = ready.run("retry", "all", terminal=True)
    assert "DONE" not in run.out
    assert "1197 failed jobs retried." in run.err


def test_ctrl_c_says_how_far_it_got_and_a_second_run_continues(ready: Site) -> None:
    """Exit 130; none is pushed twice, and none is lost."""
    with ready.driver() as driver:
        driver.failed.add([failed_record(uuid) for uuid in UUIDS])
    said = Output(Interrupted(), StringIO(), StringIO(), {})
    assert main(["retry", "all"], said) == 130
    assert said.stderr.getvalue() == "warn: Interrupted: 1,000 retried. Run it again to continue.\n"
    assert ready.run("retry", "all", "--json").json["retried"] == 200
    assert (ready.size("mail"), ready.failed_uuids()) == (1200, [])
