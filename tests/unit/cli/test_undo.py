"""What was deleted can be brought back for a day, and who did what is written down."""

from __future__ import annotations

import re
from io import StringIO
from sqlite3 import connect

import pytest

from queuectl.cli import main
from queuectl.commands.operator import operator
from queuectl.commands.output import Output
from queuectl.drivers.removed import KEPT
from queuectl.jobs.payload import decode
from tests.unit.cli.conftest import Interrupted, Run, Site, failed_record

A, B = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "ab")


def operation(run: Run) -> str:
    """What the command says that `undo` takes."""
    found = re.search(r"`queuectl undo (op-[a-z0-9]{6})`", run.err)
    assert found, run
    return found[1]


@pytest.mark.parametrize(
    "words", [["forget", "all", "--yes"], ["flush", "--force"], ["flush", "--job=Mail", "--force"]]
)
def test_deleted_failures_come_back(ready: Site, words: list[str]) -> None:
    """As they were: the same rows, with payload and traceback."""
    ready.fail(A, B)
    shown = [ready.run("failed:show", uuid, "--json").json for uuid in (A, B)]
    taken = operation(ready.run(*words))
    assert ready.failed_uuids() == []
    run = ready.run("undo", taken)
    assert (run.code, run.err) == (0, "2 failed jobs brought back.\n")
    again = [ready.run("failed:show", uuid, "--json").json for uuid in (A, B)]
    assert [{**one, "short_id": ""} for one in again] == [{**one, "short_id": ""} for one in shown]


def test_cleared_jobs_come_back(ready: Site) -> None:
    """Ready and delayed ones, to their queues; which are as full as before."""
    ready.push("mail", 2)
    ready.push("mail", delay=3600)
    before = ready.run("jobs:list", "--json").json
    run = ready.run("undo", operation(ready.run("clear", "--queue=mail", "--force")), "--json")
    assert (run.json["jobs"], run.json["failed"], run.json["left"]) == (3, 0, 0)
    after = ready.run("jobs:list", "--json").json
    assert [(one["uuid"], one["state"], one["due_at"]) for one in after] == [
        (one["uuid"], one["state"], one["due_at"]) for one in before
    ]


def test_running_jobs_stay_away_unless_they_are_asked_for(ready: Site) -> None:
    """They may be done by now: bringing them back would run them twice."""
    ready.push("mail", 2)
    with ready.driver() as driver:
        driver.exchange([], ["mail"], room=1)
    taken = operation(ready.run("clear", "--queue=mail", "--force"))
    run = ready.run("undo", taken)
    assert (run.code, ready.size("mail")) == (0, 1)
    assert "1 job was running when removed" in run.err
    assert ready.run("undo", taken, "--running").code == 0
    assert ready.size("mail") == 2


def test_undo_is_done_once(ready: Site) -> None:
    """Run again it says so, and is no error: it is what was wanted."""
    ready.fail(A)
    taken = operation(ready.run("forget", A))
    assert ready.run("undo", taken.removeprefix("op-")).code == 0
    run = ready.run("undo", taken)
    assert (run.code, f"[{taken}] was undone on" in run.err) == (0, True)
    assert ready.run("undo", taken, "--json").json["failed"] == 0
    assert ready.failed_uuids() == [A]


def test_what_failed_again_is_not_replaced(ready: Site) -> None:
    """The newer failure stays."""
    ready.fail(A, message="first", ago=100)
    taken = operation(ready.run("forget", A))
    ready.fail(A, message="second", ago=10)
    assert ready.run("undo", taken).code == 0
    [row] = ready.run("failed", "--json").json
    assert row["message"] == "second"


def test_a_dry_run_of_undo_says_how_many(ready: Site) -> None:
    """And changes nothing."""
    ready.fail(A, B)
    taken = operation(ready.run("flush", "--force"))
    assert ready.run("undo", taken, "--dry-run").err == "2 jobs would be brought back.\n"
    assert ready.failed_uuids() == []


@pytest.mark.parametrize(
    "words", [["forget", "all", "--yes"], ["flush", "--force"], ["clear", "--queue=mail", "--force"]]
)
def test_purging_keeps_nothing(ready: Site, words: list[str]) -> None:
    """Some things must be gone."""
    ready.fail(A)
    ready.push("mail")
    run = ready.run(*words, "--purge", "--json")
    assert (run.code, run.json["operation"]) == (0, None)
    [deed, *_] = ready.run("audit", "--json").json
    assert (deed["count"], deed["undoable"]) == (1, False)
    run = ready.run("undo", deed["id"])
    assert (run.code, "It was run with --purge." in run.err) == (1, True)


def test_what_is_kept_can_be_purged_later(ready: Site) -> None:
    """Only with a yes."""
    ready.fail(A)
    taken = operation(ready.run("forget", A))
    assert ready.run("undo", taken, "--purge").code == 2
    assert ready.run("undo", taken, "--purge", terminal=True, stdin="no\n").code == 3
    assert ready.run("undo", taken, "--purge", "--yes").err == "1 job deleted for good.\n"
    run = ready.run("undo", taken)
    assert (run.code, "Nothing is kept of" in run.err) == (1, True)


def test_after_a_day_it_is_too_late(ready: Site) -> None:
    """Exit 1, and until when it would have been possible."""
    ready.fail(A)
    taken = operation(ready.run("forget", A))
    with connect(ready.root / "storage/queue.sqlite") as database:
        database.execute(f"UPDATE queuectl_removed SET kept_until = kept_until - {KEPT}")
    database.close()
    run = ready.run("undo", taken)
    assert (run.code, f"Nothing is kept of [{taken}]" in run.err, "24 hours" in run.err) == (1, True, True)


def test_undo_names_what_can_be_undone(ready: Site) -> None:
    """Without an id: exit 2, and the last one."""
    assert "There is none that can be undone" in ready.run("undo").err
    ready.fail(A)
    taken = operation(ready.run("forget", A))
    ready.run("pause", "mail")
    run = ready.run("undo")
    assert (run.code, f"The last one was {taken}" in run.err) == (2, True)


def test_unknown_operations_and_those_that_keep_nothing_are_1(ready: Site) -> None:
    """With what is close, or with what can be undone at all."""
    ready.fail(A)
    taken = operation(ready.run("forget", A))
    wrong = taken[:-1] + ("a" if taken[-1] != "a" else "b")
    run = ready.run("undo", wrong)
    assert (run.code, f"Did you mean '{taken}'?" in run.err) == (1, True)
    ready.run("pause", "mail")
    [pause, *_] = ready.run("audit", "--ids").out.split()
    run = ready.run("undo", pause)
    assert (run.code, "Only flush, forget, clear and jobs:cancel" in run.err) == (1, True)


# The record


def test_every_changing_command_is_written_down(ready: Site) -> None:
    """Who, what, when, how much; the newest first. What changed nothing is not."""
    ready.fail(A, B, ago=7200)
    ready.push("mail")
    ready.run("monitor")
    ready.run("retry", "--dry-run", "all")
    ready.run("forget", "--job=Nobody", "--yes")
    done = (
        ["retry", B],
        ["jobs:cancel", B],
        ["forget", A],
        ["clear", "--queue=mail", "--force"],
        ["pause", "mail", "--reason", "token=s3cr3t-canary"],
        ["resume", "mail"],
        ["restart"],
    )
    for words in done:
        assert ready.run(*words).code == 0, words
    deeds = ready.run("audit", "--json").json
    assert [deed["verb"] for deed in deeds] == [*(words[0] for words in reversed(done)), "migrate"]
    assert all(re.fullmatch(r"[^@]+@.+", deed["who"]) for deed in deeds)
    assert {deed["count"] for deed in deeds[:-1]} == {1}
    assert [deed["verb"] for deed in deeds if deed["undoable"]] == ["clear", "forget", "jobs:cancel"]
    assert deeds[0]["connections"] == ["database"]
    assert "s3cr3t-canary" not in ready.run("audit").out


def test_the_one_behind_sudo_is_named() -> None:
    """Root did not have the idea."""
    assert operator({"SUDO_USER": "ann"}).startswith("ann@")
    assert not operator({}).startswith("@")


def test_pruning_is_written_down_and_undoing_as_well(ready: Site) -> None:
    """Pruning keeps nothing: it is what cron does with what is too old."""
    ready.fail(A, ago=200_000)
    ready.fail(B)
    ready.run("prune-failed")
    ready.run("undo", operation(ready.run("forget", B)))
    deeds = ready.run("audit", "--json", "--limit=3").json
    assert [(deed["verb"], deed["count"], deed["undoable"]) for deed in deeds] == [
        ("undo", 1, False),
        ("forget", 1, False),
        ("prune-failed", 1, False),
    ]
    assert deeds[1]["undone_at"] is not None


def test_the_record_is_a_list_like_others(ready: Site) -> None:
    """A table for people, ids and JSON lines for scripts; narrowed by time and number."""
    ready.run("pause", "mail")
    [header, first, *_] = ready.run("audit").out.splitlines()
    assert header.split() == ["OPERATION", "AT", "WHO", "COMMAND", "CHANGED", "UNDO"]
    assert "pause mail" in first
    assert len(ready.run("audit", "--ids", "--limit=1").out.split()) == 1
    assert ready.run("audit", "--since=2030-01-01", "--json").out == "[]\n"


def test_a_command_that_was_interrupted_can_be_undone(ready: Site) -> None:
    """What it had removed by then is on record, and comes back."""
    uuids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(1200)]
    with ready.driver() as driver:
        driver.failed.add([failed_record(uuid) for uuid in uuids])
    said = Output(Interrupted(), StringIO(), StringIO(), {})
    assert main(["flush", "--force", "-v"], said) == 130
    assert "Interrupted: 1,000 deleted." in said.stderr.getvalue()
    [deed, *_] = ready.run("audit", "--json").json
    assert (deed["verb"], deed["count"], deed["undoable"]) == ("flush", 1000, True)
    assert ready.run("undo", deed["id"], "--json").json["failed"] == 1000
    assert sorted(ready.run("failed", "--ids").out.split()) == uuids


def test_a_job_that_comes_back_is_the_same_job(ready: Site) -> None:
    """Payload and attempts included."""
    ready.push("mail")
    with ready.driver() as driver:
        [before] = driver.page("mail", "ready").items
    ready.run("undo", operation(ready.run("jobs:cancel", decode(before.payload).uuid)))
    with ready.driver() as driver:
        [after] = driver.page("mail", "ready").items
    assert (after.payload, after.attempts) == (before.payload, before.attempts)
