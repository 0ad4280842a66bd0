"""The jobs in queues: listed, shown, cancelled."""

from __future__ import annotations

import re

import pytest

from queuectl.drivers.contract import Driver, Settlement
from queuectl.drivers.control import Beat
from queuectl.jobs.outcome import Entry, Parked
from queuectl.jobs.payload import encode
from tests.unit.cli.conftest import Run, Site

A, B, C, D = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abcd")
UNKNOWN = "eeeeeeee-0000-4000-8000-000000000000"
SECRET = '{"to": "ann", "password": "s3cr3t-canary"}'


def entry(uuid: str, queue: str, delay: float = 0.0, job: str = "Mail") -> Entry:
    return Entry(queue, encode(job=job, arguments=SECRET, uuid=uuid), uuid, delay)


def park(driver: Driver, queue: str) -> None:
    _, [reserved] = driver.exchange([], [queue], room=1)
    driver.exchange([Settlement(reserved, Parked("unknown job", 60))], [], room=0)


@pytest.fixture
def busy(ready: Site) -> Site:
    """One job in each state: A runs, B is ready, C delayed, D parked."""
    with ready.driver() as driver:
        driver.push([entry(A, "mail"), entry(D, "odd", job="Gone")])
        driver.exchange([], ["mail"], room=1)
        park(driver, "odd")
        driver.push([entry(B, "mail"), entry(C, "image", delay=3600, job="Resize")])
    return ready


def uuids(run: Run) -> list[str]:
    return run.out.split()


# Listing


def test_every_job_is_listed_with_its_state(busy: Site) -> None:
    """Queue by queue; of its moments each has those that its state has."""
    listed = {one["uuid"]: one for one in busy.run("jobs:list", "--json").json}
    states = {uuid: one["state"] for uuid, one in listed.items()}
    assert states == {A: "reserved", B: "ready", C: "delayed", D: "parked"}
    moments = {
        uuid: {key for key in ("ready_at", "due_at", "lease_ends_at", "parked_at") if one[key]}
        for uuid, one in listed.items()
    }
    assert moments == {A: {"lease_ends_at"}, B: {"ready_at"}, C: {"due_at"}, D: {"due_at", "parked_at"}}
    assert (listed[C]["job"], listed[C]["queue"], listed[C]["connection"]) == ("Resize", "image", "database")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("--state ready", [B]),
        ("--state delayed", [C]),
        ("--state reserved", [A]),
        ("--state parked", [D]),
        ("--queue mail", [A, B]),
        ("--queue ma* --queue odd", [A, B, D]),
        ("--job Resize", [C]),
        ("--attempts 1+", [A]),
        ("--since 1h --limit 2", [C, A]),
        ("--before 1h", []),
        (f"{B} {D}", [B, D]),
        ("1-2", [A, D]),
    ],
)
def test_the_list_may_be_narrowed(busy: Site, words: str, meant: list[str]) -> None:
    """By state, and with the words that every verb knows."""
    assert sorted(uuids(busy.run("jobs:list", "--ids", *words.split()))) == sorted(meant)


def test_a_mistyped_state_or_queue_is_guessed(busy: Site) -> None:
    """Exit 2 for what can be no state; a queue may as well be empty."""
    run = busy.run("jobs:list", "--state=delaid")
    assert (run.code, "Did you mean 'delayed'?" in run.err) == (2, True)
    run = busy.run("jobs:list", "--queue=mial")
    assert (run.code, "Did you mean 'mail'?" in run.err) == (0, True)


def test_a_waiting_job_has_no_error(busy: Site) -> None:
    """Who asks for one means failed jobs."""
    for command in ("jobs:list", "jobs:cancel"):
        for words in ("--error=OSError", "--error-like=full"):
            run = busy.run(command, words)
            assert (run.code, "`queuectl failed --error" in run.err) == (2, True)


def test_people_see_jobs_as_a_table(busy: Site) -> None:
    """With how long, in words; a terminal shows one screenful of many."""
    out = busy.run("jobs", "list").out
    assert out.splitlines()[0].split() == ["ID", "UUID", "QUEUE", "JOB", "STATE", "SINCE", "ATTEMPTS"]
    assert re.search(r"database@image +Resize +delayed +due in (1h|59m)", out)
    busy.push("low", 120)
    run = busy.run("jobs:list", "--queue=low", terminal=True)
    assert run.out.count("database@low") == 100
    assert "These are the first 100." in run.err
    assert busy.run("jobs:list", "--queue=low", "--limit=120", terminal=True).out.count("database@low") == 120
    assert busy.run("jobs:list", "--queue=low").out.count("database@low") == 120


def test_an_empty_list_is_no_error(ready: Site) -> None:
    """A sentence for people, an empty document for scripts."""
    assert ready.run("jobs:list").err == "No jobs found.\n"
    assert ready.run("jobs:list", "--json").out == "[]\n"


def test_a_payload_that_nobody_can_read_is_listed(ready: Site) -> None:
    """By its short id; what is broken must be seen above all."""
    with ready.driver() as driver:
        driver.push([Entry("mail", b"\xff not json", UNKNOWN)])
    [one] = ready.run("jobs:list", "--json").json
    assert (one["job"], one["id"], one["created_at"]) == ("", one["short_id"], None)
    assert ready.run("jobs:show", one["id"]).code == 0
    assert ready.run("jobs:cancel", one["id"]).code == 0


# Showing


def test_one_job_is_shown_whole_without_its_secrets(busy: Site) -> None:
    """State, payload, and what to type next; `jobs show` in two words as well."""
    for words in (["jobs:show", C], ["jobs", "show", "4"]):
        shown = busy.run(*words).out
        assert re.search("delayed, due in (1h|59m)", shown)
        assert '"to": "ann"' in shown
        assert f"queuectl jobs:cancel {C}" in shown
        assert "s3cr3t-canary" not in shown
    assert busy.run("jobs:show", C, "--json").json["payload"]["data"]["args"]["password"] == "***"
    assert "s3cr3t-canary" in busy.run("jobs:show", C, "--show-secrets").out


def test_who_runs_a_job_is_told(busy: Site) -> None:
    """As its worker says every few seconds."""
    now = 1_767_225_600.0
    running = ({"job": "Mail", "uuid": A, "queue": "mail", "since": now},)
    with busy.driver() as driver:
        driver.control.beat(Beat("web-1:7:x", "blue", "web-1", 7, ("mail",), now, now, 1, 0, running=running))
    worker = {"name": "blue", "host": "web-1", "pid": 7, "since_at": "2026-01-01T00:00:00.000Z"}
    assert busy.run("jobs:show", A, "--json").json["worker"] == worker
    assert "blue on web-1 (pid 7)" in busy.run("jobs:show", A).out
    assert busy.run("jobs:show", B, "--json").json["worker"] is None


def test_a_job_that_is_in_no_queue_is_looked_for_elsewhere(busy: Site) -> None:
    """Exit 1; it may have failed."""
    busy.fail(UNKNOWN)
    run = busy.run("jobs:show", UNKNOWN)
    assert (run.code, f"`queuectl failed:show {UNKNOWN}` shows why" in run.err) == (1, True)
    assert busy.run("jobs:show", "77").code == 1


# Cancelling


@pytest.mark.parametrize("words", [[B], ["3"], ["3-3"], ["-"], ["--job=Mail", "--queue=mail"]])
def test_a_waiting_job_is_cancelled(busy: Site, words: list[str]) -> None:
    """Named in any of the ways there are; one needs no question."""
    run = busy.run("jobs:cancel", *words, stdin=f"{B}\n")
    assert (run.code, B in run.out, "1 job cancelled." in run.err) == (0, True, True)
    assert sorted(uuids(busy.run("jobs:list", "--ids"))) == [A, C, D]


def test_a_running_job_is_left_alone(busy: Site) -> None:
    """Named by its id it is an error: 1, or 7 where others were cancelled."""
    run = busy.run("jobs:cancel", A)
    assert (run.code, "1 job is running" in run.err) == (1, True)
    run = busy.run("jobs:cancel", A, B, "--yes", "--json")
    assert (run.code, run.json["cancelled"], run.json["running"]) == (7, 1, 1)
    assert busy.run("jobs:cancel", A, UNKNOWN, "--yes").code == 1
    run = busy.run("jobs:cancel", "all", "--yes", "--json")
    assert (run.code, run.json["cancelled"], run.json["running"]) == (0, 2, 0)
    assert uuids(busy.run("jobs:list", "--ids")) == [A]


def test_cancelling_several_needs_a_yes(busy: Site) -> None:
    """Nobody can be asked in a script: exit 2; a no is 3; and `--expect` refuses another number."""
    for words in (["all"], [B, C], ["--since=1h"]):
        assert busy.run("jobs:cancel", *words).code == 2
        assert busy.run("jobs:cancel", *words, terminal=True, stdin="no\n").code == 3
        assert busy.run("jobs:cancel", *words, "--expect=7", "--yes").code == 2
    assert busy.run("jobs:cancel").code == 2
    assert len(uuids(busy.run("jobs:list", "--ids"))) == 4
    assert busy.run("jobs:cancel", "all", "--expect=3", terminal=True, stdin="yes\n").code == 0


def test_a_dry_run_of_cancelling_changes_nothing(busy: Site) -> None:
    """The same output."""
    run = busy.run("jobs:cancel", "all", "--dry-run")
    assert (run.code, "3 jobs would be cancelled." in run.err) == (0, True)
    assert run.out.count("CANCELLED") == 3
    assert len(uuids(busy.run("jobs:list", "--ids"))) == 4


def test_an_unknown_id_is_1_and_the_others_are_cancelled(busy: Site) -> None:
    """The ids that nobody has are named."""
    run = busy.run("jobs:cancel", UNKNOWN, B, "50-60", "--yes")
    assert run.code == 1
    for key in (UNKNOWN, "50-60"):
        assert f"Unable to find job with ID [{key}]." in run.err
    assert sorted(uuids(busy.run("jobs:list", "--ids"))) == [A, C, D]


def test_an_id_that_two_connections_have_is_2(site: Site) -> None:
    """Nothing is done; `--connection` or a uuid says which was meant."""
    site.write(
        'default = "database"\n[connections.database]\n[connections.other]\n'
        'driver = "database"\nurl = "sqlite:///storage/other.sqlite"\n'
    )
    assert site.run("migrate").code == 0
    site.push("mail")
    site.push("mail", connection="other")
    for words in (["jobs:cancel", "1"], ["jobs:cancel", "1-5", "--yes"], ["jobs:show", "1"]):
        run = site.run(*words)
        assert (run.code, "--connection" in run.err) == (2, True), words
    assert site.run("jobs:cancel", "1", "--connection=other").code == 0
    assert (site.size("mail"), site.size("mail", "other")) == (1, 0)


def test_many_ids_may_come_from_a_pipe(busy: Site) -> None:
    """More than a store is asked for at a time; what nobody has is named all the same."""
    meant = busy.push("low", 700)
    run = busy.run("jobs:cancel", "-", UNKNOWN, "--yes", "--json", stdin="".join(f"{uuid}\n" for uuid in meant))
    assert (run.code, run.json["cancelled"], run.json["missing"]) == (1, 700, [UNKNOWN])
    assert sorted(uuids(busy.run("jobs:list", "--ids"))) == [A, B, C, D]
