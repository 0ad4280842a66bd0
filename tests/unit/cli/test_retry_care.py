"""`retry` with care: exit codes and words. When it goes on and when it stops is tested in test_careful.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from queuectl.app import App
from queuectl.drivers.contract import Driver, Settlement
from queuectl.drivers.ends import End
from queuectl.jobs.outcome import Done, Failed, Outcome
from queuectl.jobs.payload import decode
from tests.unit.cli.conftest import Site, failed_record

Succeeds = Callable[[str], bool]


def uuids(count: int, first: int = 0) -> list[str]:
    return [f"{number:08x}-0000-4000-8000-000000000000" for number in range(first, first + count)]


@contextmanager
def attended(site: Site, succeeds: Succeeds = lambda uuid: True, connection: str = "database") -> Iterator[None]:
    """A worker that does at once what lies in the queue `mail`, and tells."""
    over = Event()

    def attend() -> None:
        app = App.load()
        while not over.wait(0.01):
            _work(app.driver(connection), succeeds)
        app.close()

    thread = Thread(target=attend)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _work(driver: Driver, succeeds: Succeeds) -> None:
    _, reserved = driver.exchange([], ["mail"], 10)
    for one in reserved:
        payload = decode(one.payload)
        done = succeeds(payload.uuid)
        outcome: Outcome = Done() if done else Failed(failed_record(payload.uuid, ago=0, message="password=s3cr3t"))
        driver.exchange([Settlement(one, outcome)], [], 0)
        error = "" if done else "builtins.OSError"
        end = End(payload.uuid, payload.job, one.queue, done, 1, time.time(), error, "password=s3cr3t")
        if payload.watch:
            driver.control.tell_end(payload.watch, end)


def test_canaries_that_fail_again_are_exit_1(ready: Site) -> None:
    """The others were left alone; why is said, without secrets, and where to look."""
    ready.fail(*uuids(5))
    with attended(ready, lambda uuid: False):
        run = ready.run("retry", "all", "--canary=1")
    [failed] = [line.split()[0] for line in run.out.splitlines() if line.endswith("FAIL")]
    assert run.code == 1
    assert "1 of 1 canary failed again: the others were left alone." in run.err
    assert f"`queuectl failed:show {failed}`" in run.err
    assert "s3cr3t" not in run.err
    assert sorted(ready.failed_uuids()) == uuids(5)


def test_canaries_that_end_well_are_followed_by_the_others(ready: Site) -> None:
    """At a rate, watched to their end."""
    ready.fail(*uuids(8))
    with attended(ready):
        run = ready.run("queue:retry", "all", "--canary=3", "--rate=100/s", "--stop-on-failure=10%", "--wait")
    assert run.code == 0
    assert sorted(line.split()[0] for line in run.out.splitlines() if line.endswith("DONE")) == uuids(8)
    assert run.err.splitlines()[-2:] == ["3 canaries ended well: the others follow.", "8 retried, 8 done."]
    assert ready.failed_uuids() == []


def test_nobody_takes_what_was_not_watched_for_done(ready: Site) -> None:
    """After the canaries, without a word about the others."""
    ready.fail(*uuids(4))
    with attended(ready):
        run = ready.run("retry", "all", "--canary=1")
    assert (run.code, ready.failed_uuids()) == (0, [])
    assert run.err.splitlines()[-1] == "4 retried; nobody watched those after the canaries (--wait does)."


def test_too_many_failures_are_exit_4(ready: Site) -> None:
    """What was not sent yet stays."""
    ready.fail(*uuids(60))
    with attended(ready, lambda uuid: False):
        run = ready.run("retry", "all", "--stop-on-failure=5", "--json")
    assert run.code == 4
    found = run.json
    assert found["stopped"] == "failures"
    assert (found["retried"], found["canaries"], found["sample"]["error"]) == (20, 0, "builtins.OSError")
    assert found["failed_again"] > 5
    assert "s3cr3t" not in run.out


def test_what_failed_again_while_somebody_waited_is_exit_7(ready: Site) -> None:
    """Everything was retried, and not everything is done."""
    ready.fail(*uuids(4))
    with attended(ready, lambda uuid: uuid != uuids(4)[2]):
        run = ready.run("retry", "all", "--wait", "--json")
    assert run.code == 7
    found = run.json
    assert (found["stopped"], found["retried"], found["done"], found["failed_again"]) == (None, 4, 3, 1)
    assert found["sample"]["uuid"] == uuids(4)[2]


def test_a_time_that_is_up_is_exit_3(ready: Site) -> None:
    """With the reason, where there is nobody who would run them."""
    ready.fail(*uuids(4))
    run = ready.run("retry", "all", "--canary=2", "--timeout=0.1", "--json")
    assert (run.code, run.json["stopped"], run.json["open"]) == (3, "timeout", 2)
    assert "No worker is alive for [mail]: `queuectl work database --queue=mail` is one." in run.err
    assert (len(ready.failed_uuids()), ready.size("mail")) == (2, 2)


def test_a_rate_alone_watches_nobody(ready: Site) -> None:
    """It ends when the last one is on its queue."""
    ready.fail(*uuids(4))
    run = ready.run("retry", "all", "--rate=6000/m")
    assert (run.code, ready.size("mail")) == (0, 4)
    with ready.driver() as driver:
        assert {decode(stored.payload).watch for stored in driver.page("mail", "ready").items} == {""}


def test_a_dry_run_is_one(ready: Site) -> None:
    """It says which, and sends no canary."""
    ready.fail(*uuids(4))
    run = ready.run("retry", "all", "--canary=2", "--wait", "--dry-run", "--json")
    assert (run.code, run.json["retried"], run.json["dry_run"]) == (0, 4, True)
    assert len(ready.failed_uuids()) == 4


def test_jobs_that_are_collected_elsewhere_are_watched_where_they_run(site: Site) -> None:
    """They lie in one store, and go back to another."""
    site.write(
        'default = "database"\n[connections.database]\n[connections.other]\ndriver = "database"\n'
        'url = "sqlite:///storage/other.sqlite"\n[failed]\nconnection = "other"\n'
    )
    assert site.run("migrate").code == 0
    with site.driver("other") as other:
        other.failed.add([failed_record(uuid, connection="database") for uuid in uuids(3)])
    with attended(site, lambda uuid: uuid != uuids(3)[0]):
        run = site.run("retry", "all", "--canary=3", "--stop-on-failure=1", "--wait", "--json")
    assert (run.code, run.json["done"], run.json["failed_again"]) == (7, 2, 1)


@pytest.mark.parametrize(
    "words",
    [
        ["--canary=-1"],
        ["--rate=0"],
        ["--rate=fast"],
        ["--rate=5/d"],
        ["--stop-on-failure=100%"],
        ["--stop-on-failure=1.5"],
        ["--stop-on-failure=some"],
        ["--timeout=1m"],
        ["--rate=5/s", "--timeout=1m"],
        ["--wait", "--timeout=0"],
    ],
)
def test_words_that_do_not_fit_are_refused(ready: Site, words: list[str]) -> None:
    """Exit 2, before anything is touched."""
    ready.fail(*uuids(2))
    assert ready.run("retry", "all", *words).code == 2
    assert len(ready.failed_uuids()) == 2
