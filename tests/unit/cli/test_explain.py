"""`explain`: the reason why a job does not run, or a queue stands still, and what to type."""

from __future__ import annotations

import time
from typing import Any

import pytest

from queuectl.drivers.contract import Driver, Settlement
from queuectl.drivers.control import EVERY_QUEUE, Beat, Cancel, LastSeen, Pause
from queuectl.jobs.outcome import Entry, Parked, Release
from queuectl.jobs.payload import encode, new_uuid
from tests.unit.cli.conftest import Site

HOUR = 3600.0


def beat(*queues: str, running: str = "", late: float = 0.0, name: str = "mailer") -> Beat:
    """A living worker, which runs the job of this uuid."""
    at = time.time() - late
    jobs = ({"job": "Mail", "uuid": running, "queue": "mail", "since": at - 12},) if running else ()
    return Beat(f"web-1:7:{name}", name, "web-1", 7, queues, at - HOUR, at, 1, 0, jobs)


def reasons(site: Site, *words: str) -> list[dict[str, Any]]:
    run = site.run("explain", *words, "--json")
    assert run.code == 0, run.err
    found = run.json
    assert found["reason"] == found["reasons"][0]["code"]
    return list(found["reasons"])


def codes(site: Site, *words: str) -> list[str]:
    return [reason["code"] for reason in reasons(site, *words)]


def live(site: Site, *beats: Beat) -> None:
    with site.driver() as driver:
        for one in beats:
            driver.control.beat(one)


def reserve(driver: Driver, queue: str = "mail") -> Any:
    [reserved] = driver.exchange([], [queue], 1)[1]
    return reserved


def test_a_paused_queue(ready: Site) -> None:
    """By whom, for how long, why, until when, and how to end it."""
    [uuid] = ready.push("mail")
    live(ready, beat("mail"))
    with ready.driver() as driver:
        now = time.time()
        driver.control.pause("mail", Pause("server moves", now - 720, now + HOUR, "awa@web-1"), ttl=HOUR)
    [reason] = reasons(ready, uuid)
    assert reason["text"].startswith("Queue [database:mail] has been paused for 12m")
    assert "by awa@web-1: server moves. It ends in 59m" in reason["text"]
    assert (reason["code"], reason["fix"]) == ("paused", "queuectl resume database:mail")


def test_everything_is_paused(ready: Site) -> None:
    """That needs another word to end."""
    [uuid] = ready.push("mail")
    live(ready, beat("mail"))
    with ready.driver() as driver:
        driver.control.pause(EVERY_QUEUE, Pause(since=time.time()))
    [reason] = reasons(ready, uuid)
    assert reason["fix"] == "queuectl resume --all"
    assert "no reason was given" in reason["text"]


@pytest.mark.parametrize(
    ("left", "words"), [(True, "stopped 5m ago"), (False, "was seen 5m ago, and did not say that it would stop")]
)
def test_nobody_serves_the_queue(ready: Site, left: bool, words: str) -> None:  # a row of the table
    """Since when, who the last one was, and whether it went by itself."""
    [uuid] = ready.push("mail")
    live(ready, beat("image", name="painter"))
    with ready.driver() as driver:
        driver.control.serve(["mail"], LastSeen("mailer", "web-2", time.time() - 300, left))
    [reason] = reasons(ready, uuid)
    assert (reason["code"], reason["fix"]) == ("no_worker", "queuectl work database --queue=mail")
    assert f"The last one, mailer on web-2, {words}" in reason["text"]
    assert "1 worker is alive, for image only." in reason["text"]


def test_nobody_ever_served_the_queue(ready: Site) -> None:
    [uuid] = ready.push("mail")
    assert "None has been seen there" in reasons(ready, uuid)[0]["text"]


def test_a_delayed_job(ready: Site) -> None:
    """Due when; and after a failed attempt, why it waits."""
    [uuid] = ready.push("mail", delay=240)
    live(ready, beat("mail"))
    [reason] = reasons(ready, uuid)
    assert reason["code"] == "delayed"
    assert reason["text"].startswith("It is due in 3m 59s, at ") or reason["text"].startswith("It is due in 4m, at ")
    [again] = ready.push("image")
    with ready.driver() as driver:
        driver.exchange([Settlement(reserve(driver, "image"), Release(600))], [], 0)
    assert "1 attempt did not succeed" in reasons(ready, again)[0]["text"]


def test_a_parked_job(ready: Site) -> None:
    """Which name, since when, and until when somebody may learn it; PHP's are not ours to fail."""
    for name, end in (("Report", "fails in 59m"), ("App\\Report@call", "left to its own workers")):
        uuid = new_uuid()
        with ready.driver() as driver:
            driver.push([Entry("mail", encode(job=name, arguments="{}", uuid=uuid), uuid)])
            driver.exchange([Settlement(reserve(driver), Parked("unknown", 30))], [], 0)
        first, *_ = reasons(ready, uuid)
        assert first["code"] == "parked"
        assert repr(name) in first["text"]
        assert end in first["text"]


def test_a_running_job(ready: Site) -> None:
    """Who has it, where, and for how long."""
    [uuid] = ready.push("mail")
    with ready.driver() as driver:
        reserve(driver)
    live(ready, beat("mail", running=uuid))
    [reason] = reasons(ready, uuid)
    assert reason["text"] == "It runs: mailer on web-1 (pid 7) has had it for 12s, attempt 1."


def test_a_running_job_that_says_how_far_it_is_and_is_told_to_end(ready: Site) -> None:
    """Both, with who told it."""
    [uuid] = ready.push("mail")
    with ready.driver() as driver:
        reserve(driver)
        driver.control.show_progress(uuid, 0.4, "row 4 of 10")
        driver.control.cancel_running(uuid, Cancel("awa@web-1", 10))
    live(ready, beat("mail", running=uuid))
    runs, ends = reasons(ready, uuid)
    assert runs["text"].endswith("It says of itself: 40% row 4 of 10.")
    assert (ends["code"], ends["text"].startswith("awa@web-1 has told it to end: within 10s")) == ("cancelled", True)


def test_a_job_that_was_put_off(ready: Site) -> None:
    """By whom it is held up; but not once it has been put back for another reason."""
    [uuid] = ready.push("mail")
    live(ready, beat("mail"))
    with ready.driver() as driver:
        driver.control.put_off(uuid, "another was at work", at=time.time(), seconds=60, holder="u-2")
        driver.exchange([Settlement(reserve(driver), Release(60, spared=True))], [], 0)
    [reason] = reasons(ready, uuid)
    assert reason["text"].startswith("It was put off: another was at work. It is due in ")
    assert (reason["code"], reason["fix"]) == ("put_off", "queuectl explain u-2")
    with ready.driver() as driver:
        driver.control.put_off(uuid, "another was at work", at=time.time() - 50, seconds=60, holder="u-2")
    assert codes(ready, uuid) == ["delayed"]


def test_a_job_of_a_silent_worker(ready: Site) -> None:
    """The store keeps a sign of life for twenty seconds: long enough to see that the next ones did not come."""
    [uuid] = ready.push("mail")
    with ready.driver() as driver:
        reserve(driver)
    live(ready, beat("mail", running=uuid, late=15))
    [reason] = reasons(ready, uuid)
    assert (reason["code"], "last sign of life 15s ago" in reason["text"]) == ("worker_silent", True)


def test_a_job_that_nobody_says_to_run(ready: Site) -> None:
    """Its worker has just begun, or is dead: its lease ends."""
    [uuid] = ready.push("mail")
    with ready.driver() as driver:
        reserve(driver)
    assert codes(ready, uuid) == ["reserved", "no_worker"]
    live(ready, beat("mail"))
    [reason] = reasons(ready, uuid)
    assert "comes back when its lease ends, in 29s" in reason["text"] or "in 30s" in reason["text"]


def test_nothing_is_wrong(ready: Site) -> None:
    """Its place in the queue, and what the workers do meanwhile."""
    first, second = ready.push("mail", 2)
    live(ready, beat("mail"))
    assert codes(ready, first) == ["next"]
    [reason] = reasons(ready, second)
    assert reason["text"] == "It is number 2 of the 2 that wait here; the worker of this queue is idle."
    live(ready, beat("mail", running="other"))
    assert codes(ready, first) == ["in_line"]


def test_other_queues_come_first(ready: Site) -> None:
    """Only where each of its workers serves them before."""
    [uuid] = ready.push("mail")
    ready.push("high", 3)
    live(ready, beat("high", "mail"))
    first, _ = reasons(ready, uuid)
    assert (first["code"], first["text"].endswith("there jobs wait: 3 in high.")) == ("behind", True)
    live(ready, beat("mail", "high", name="other"))
    assert codes(ready, uuid) == ["next"]


def test_a_place_far_behind_is_not_counted_out(ready: Site) -> None:
    """A thousand are looked at, not a million."""
    uuids = ready.push("mail", 1050)
    live(ready, beat("mail"))
    [reason] = reasons(ready, uuids[-1])
    assert "beyond number 1,000 of the 1,050" in reason["text"]


def test_a_failed_job(ready: Site) -> None:
    """It is told where it went, and what shows it whole."""
    uuid = new_uuid()
    ready.fail(uuid)
    [reason] = reasons(ready, uuid)
    assert (reason["code"], reason["fix"]) == ("failed", f"queuectl failed:show {uuid}")


def test_a_job_in_an_outbox(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which store did not take it, and whether it would now."""
    ready.write(
        'default = "redis"\n[connections.database]\ndriver = "database"\n[connections.redis]\noutbox = "database"\n'
    )
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with ready.driver() as driver:
        uuid = new_uuid()
        driver.push([Entry("outbox:redis:mail", encode(job="Mail", arguments="{}", uuid=uuid), uuid)])
    run = ready.run("explain", uuid, "--json")
    [reason] = run.json["reasons"]
    assert (run.code, reason["code"], reason["fix"]) == (7, "outbox", "queuectl relay redis")
    assert "That store does not answer" in reason["text"]
    assert codes(ready, "--queue", "database:outbox:redis:mail") == ["outbox"]


def test_what_nobody_has_is_1(ready: Site) -> None:
    """With a word on where it may have gone."""
    run = ready.run("explain", "nonesuch")
    assert run.code == 1
    assert "leave no trace" in run.err


@pytest.mark.parametrize("words", [[], ["7", "--queue", "mail"]])
def test_one_thing_is_explained(ready: Site, words: list[str]) -> None:
    assert ready.run("explain", *words).code == 2


def test_a_store_that_is_away(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert ready.run("explain", "--queue", "redis:mail").code == 69


def test_a_queue(ready: Site) -> None:
    """Empty, waiting for its time, flowing, running, or stopped."""
    assert codes(ready, "--queue", "mail") == ["empty"]
    ready.push("mail", delay=600)
    live(ready, beat("mail"))
    [reason] = reasons(ready, "--queue", "database:mail")
    assert (reason["code"], "The first is due in " in reason["text"]) == ("delayed", True)
    ready.push("mail", 2)
    [reason] = reasons(ready, "--queue", "mail")
    assert reason["text"].startswith("Nothing is in the way: 2 wait, the oldest for ")
    with ready.driver() as driver:
        driver.control.leave(beat("mail").worker)
        reserve(driver)
    assert codes(ready, "--queue", "mail") == ["no_worker", "reserved"]


def test_on_sync_nothing_waits(site: Site) -> None:
    """One word about it, and not that a queue was empty."""
    site.write('default = "sync"')
    assert codes(site, "--queue", "mail") == ["immediate"]
    assert site.run("explain", "7").err.count("run at once") == 1


def test_a_mistyped_queue_is_guessed(ready: Site) -> None:
    ready.push("mail")
    assert "Did you mean 'mail'?" in ready.run("explain", "--queue", "mial").err


def test_people_read_sentences(ready: Site) -> None:
    """Wrapped for a terminal, whole in a pipe, each with what to type below it."""
    [uuid] = ready.push("mail")
    ready.run("pause", "mail", "--reason", "the mail server moves to another room and nobody knows for how long")
    whole = ready.run("explain", uuid).out
    assert any(line.startswith("Why      Queue [database:mail] has been paused") for line in whole.splitlines())
    assert "Do       queuectl resume database:mail\n" in whole
    assert "Also     No worker is alive" in whole
    shown = ready.run("queue:explain", uuid, terminal=True).out
    assert max(len(line) for line in shown.splitlines() if "queuectl" not in line) <= 88
