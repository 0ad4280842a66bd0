"""`monitor`: numbers, thresholds, and the exit code that a cron job acts on."""

from __future__ import annotations

import re
import time

import pytest

from queuectl.drivers.control import Beat
from tests.unit.cli.conftest import Site

ARTISAN_KEYS = ["connection", "queue", "size", "pending", "delayed", "reserved", "oldest_pending", "status"]

APP = 'driver = "database"\nurl = "sqlite:///storage/queue.sqlite"\n'
"""Another connection to where `database` leads."""


def test_all_queues_are_shown_when_none_is_named(ready: Site) -> None:
    """With artisan's keys, and the size as the sum of all states."""
    ready.push("mail", 2)
    ready.push("mail", delay=3600)
    ready.push("image")
    found = ready.run("monitor", "--json").json
    assert [(queue["queue"], queue["size"], queue["delayed"]) for queue in found] == [("image", 1, 0), ("mail", 3, 1)]
    assert list(found[0])[:8] == ARTISAN_KEYS
    assert abs(found[0]["oldest_pending"] - time.time()) < 60
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found[0]["oldest_pending_at"])


@pytest.mark.parametrize("words", ["", ",", " , "])
def test_a_list_of_no_queues_names_none(ready: Site, words: str) -> None:
    """As variables that are empty leave it."""
    ready.push("mail")
    assert [queue["queue"] for queue in ready.run("monitor", words, "--json").json] == ["mail"]


def test_an_empty_queue_has_no_oldest_job(ready: Site) -> None:
    """Zeros and nulls, exit 0: monitoring a quiet queue is no error."""
    run = ready.run("queue:monitor", "quiet", "--json")
    assert (run.code, run.json[0]["size"], run.json[0]["oldest_pending"]) == (0, 0, None)


def test_nothing_at_all_is_an_empty_document(ready: Site) -> None:
    """`[]`, exit 0."""
    run = ready.run("monitor", "--json")
    assert (run.code, run.out) == (0, "[]\n")


@pytest.mark.parametrize(("most", "code", "status"), [(3, 0, "OK"), (2, 4, "ALERT"), (0, 4, "ALERT")])
def test_the_alert_fires_at_the_given_size(ready: Site, most: int, code: int, status: str) -> None:
    """size >= max, as artisan; but ours is an exit code."""
    ready.push("mail", 2)
    run = ready.run("monitor", "mail", f"--max={most}", "--json")
    assert (run.code, run.json[0]["status"]) == (code, status)


def test_without_a_given_threshold_the_exit_code_is_0(ready: Site) -> None:
    """Artisan's default of a thousand colours the status, and does no more."""
    ready.push("mail", 1000)
    run = ready.run("monitor", "mail", "--json")
    assert (run.code, run.json[0]["status"]) == (0, "ALERT")


def test_the_oldest_wait_has_a_threshold(ready: Site) -> None:
    """--max-age takes durations."""
    ready.push("mail")
    assert ready.run("monitor", "mail", "--max-age=0").code == 4
    assert ready.run("monitor", "mail", "--max-age=1h").code == 0


def test_people_see_artisans_lines(ready: Site) -> None:
    """Dots to the width, the size in brackets, one indented line a number."""
    ready.push("mail", 2)
    lines = ready.run("monitor", "mail").out.splitlines()
    assert re.fullmatch(r"  Queue name \.+ Size / Status", lines[1])
    assert re.fullmatch(r"  \[database\] mail \.+ \[2\] OK", lines[3])
    assert re.fullmatch(r"  Pending jobs \.+ 2", lines[4])
    assert {len(line) for line in lines if line} == {80}


def test_colours_and_badges_are_for_terminals(ready: Site) -> None:
    """The same command on a terminal colours the status; NO_COLOR and pipes do not."""
    ready.push("mail")
    assert "\x1b[32;1mOK\x1b[0m" in ready.run("monitor", "mail", terminal=True).out
    assert "\x1b" not in ready.run("monitor", "mail").out


def test_live_workers_and_pauses_are_seen(ready: Site) -> None:
    """A worker counts for each queue that it serves."""
    now = time.time()
    with ready.driver() as driver:
        driver.control.beat(Beat("h:1:x", "default", "h", 1, ("mail", "image"), now, now, 1, 0))
    ready.run("pause", "mail", "--reason", "mail server moves", "--for", "10m")
    found = {queue["queue"]: queue for queue in ready.run("monitor", "--json").json}
    assert (found["mail"]["workers"], found["image"]["workers"]) == (1, 1)
    assert (found["mail"]["paused"], found["mail"]["paused_reason"]) == (True, "mail server moves")
    assert found["image"]["paused"] is False


def test_a_queue_is_named_with_its_connection(ready: Site) -> None:
    """`[connection:]queue`, comma-separated; an unknown connection is a usage error with a guess."""
    ready.push("mail")
    assert ready.run("monitor", "database:mail,image", "--json").json[0]["size"] == 1
    run = ready.run("monitor", "databse:mail")
    assert run.code == 2
    assert "Did you mean 'database'?" in run.err


def test_a_mistyped_queue_is_guessed(ready: Site) -> None:
    """It may exist one day, so it is a note, not an error."""
    ready.push("notifications")
    run = ready.run("monitor", "notificatons", "--json")
    assert run.code == 0
    assert "Did you mean 'notifications'?" in run.err


@pytest.mark.fault("F42")
@pytest.mark.parametrize("name", ["a b", "a\x1bb", "é", "x" * 192, "a\nb"])
def test_what_is_no_queue_name_is_refused(ready: Site, name: str) -> None:
    """Exit 2, and what was typed shown without its teeth."""
    run = ready.run("monitor", name)
    assert run.code == 2
    assert "\x1b" not in run.err


def test_a_missing_table_is_one_line_with_the_command_to_run(site: Site) -> None:
    """No traceback, exit 78."""
    for words in (["monitor"], ["failed"], ["retry", "all"], ["clear", "--force"], ["restart"]):
        run = site.run(*words)
        assert run.code == 78, words
        assert "queuectl migrate" in run.err
        assert "Traceback" not in run.err


def test_a_connection_that_is_away_does_not_hide_the_others(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be shown is shown; 7 says that it is not all."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    ready.push("mail")
    run = ready.run("monitor", "--json")
    assert (run.code, [queue["queue"] for queue in run.json]) == (7, ["mail"])
    assert run.err.startswith("error: [redis] ")


@pytest.mark.parametrize("default", ["database", "app"])
def test_two_connections_to_one_store_are_counted_once(ready: Site, default: str) -> None:
    """Under the default one's name; the other may still be named."""
    ready.write(f'default = "{default}"\n[connections.database]\n[connections.app]\n' + APP)
    ready.push("mail")
    assert [queue["connection"] for queue in ready.run("monitor", "--json").json] == [default]
    assert [ready.run("monitor", f"{name}:mail", "--json").json[0]["size"] for name in ("app", "database")] == [1, 1]


def test_on_sync_there_is_nothing_to_monitor(site: Site) -> None:
    """A note that says how to have queues; no error."""
    site.write('default = "sync"')
    run = site.run("monitor", "--json")
    assert (run.code, run.json) == (0, [])
    assert "QUEUE_CONNECTION=database" in run.err
