"""`drain`: exit codes, marks and words; what rest is, is tested in test_draining.py."""

from __future__ import annotations

import re
import time

import pytest

from queuectl.drivers.control import EVERY_QUEUE, Beat, Pause
from tests.unit.cli.conftest import Site


def paused(site: Site) -> dict[str, Pause]:
    with site.driver() as driver:
        return dict(driver.control.marks().paused)


def reserve(site: Site, queue: str = "mail") -> None:
    with site.driver() as driver:
        assert driver.exchange([], [queue], 1)[1]


def test_queues_at_rest_are_drained_at_once(ready: Site) -> None:
    """They stay paused, what waits stays where it is, and the way back is named."""
    ready.push("mail", 3)
    run = ready.run("drain", "--queue=mail,image", "--reason", "deploy 7")
    assert run.code == 0
    assert run.err.splitlines() == [
        "[database] mail, image: nothing runs.",
        "Paused until `queuectl resume database:mail` and `queuectl resume database:image`.",
    ]
    assert {queue: pause.reason for queue, pause in paused(ready).items()} == {"mail": "deploy 7", "image": "deploy 7"}
    assert ready.size("mail") == 3


def test_all_queues_of_the_connection_are_meant_without_names(ready: Site) -> None:
    """And one word resumes them."""
    run = ready.run("queue:drain", "--json")
    assert (run.code, run.json["drained"], run.json["queues"], run.json["running"]) == (0, True, None, [])
    assert "`queuectl resume --all`" in run.err
    assert set(paused(ready)) == {EVERY_QUEUE}
    assert ready.run("resume", "--all").code == 0
    assert paused(ready) == {}


def test_what_still_runs_is_named_when_the_time_is_up(ready: Site) -> None:
    """Exit 3: job, id, queue and, where its worker is known, where."""
    [uuid] = ready.push("mail")
    reserve(ready)
    now = time.time()
    running = ({"job": "Mail", "uuid": uuid, "queue": "mail", "since": now},)
    with ready.driver() as driver:
        driver.control.beat(
            Beat("web-1:7:x", "blue", "web-1", 7, ("mail",), now, now, 1, 0, running=running, paused=("mail",))
        )
    run = ready.run("drain", "--queue=mail", "--timeout=0.1")
    assert run.code == 3
    assert re.split(" {2,}", run.out.splitlines()[1])[:4] == ["Mail", uuid, "mail", "blue on web-1 (7)"]
    assert "still waiting for 1 running job." in run.err
    assert "`queuectl resume database:mail`" in run.err
    found = ready.run("drain", "--queue=mail", "--timeout=0.1", "--json").json
    assert found["drained"] is False
    assert (found["running"][0]["uuid"], found["running"][0]["worker"]) == (uuid, "blue on web-1 (7)")


def test_the_pause_may_end_by_itself(ready: Site) -> None:
    """Should whoever drained be gone."""
    ready.run("drain", "--for", "10m")
    until = paused(ready)[EVERY_QUEUE].until
    assert until is not None
    assert 500 < until - time.time() <= 600


def test_emptying_pauses_nothing(ready: Site) -> None:
    """What is delayed is told, and waited for only if it is meant."""
    ready.push("mail", delay=3600)
    run = ready.run("drain", "--empty", "--queue=mail")
    assert run.code == 0
    assert run.err == "[database] mail: empty. 1 delayed job will become ready later.\n"
    assert ready.run("drain", "--empty", "--queue=mail", "--delayed", "--timeout=0.1").code == 3
    assert paused(ready) == {}


def test_a_queue_that_nobody_empties_is_told(ready: Site) -> None:
    """While it is waited for, not afterwards."""
    ready.push("mail", 2)
    run = ready.run("drain", "--empty", "--timeout=0.1", "--json")
    assert (run.code, run.json["pending"], run.json["paused"]) == (3, 2, False)
    assert "waiting for 2 ready jobs." in run.err
    assert "No worker is alive for [database] all queues: nothing will empty it." in run.err


def test_queues_may_be_named_with_their_connection(ready: Site) -> None:
    """As `pause` takes them; a colon that no connection stands before belongs to the name."""
    assert ready.run("drain", "--queue=database:mail,outbox:redis:mail").code == 0
    assert set(paused(ready)) == {"mail", "outbox:redis:mail"}


@pytest.mark.parametrize(
    "words",
    [
        ["--delayed"],
        ["--empty", "--for=1m"],
        ["--timeout=0"],
        ["--for=soon"],
        ["--queue=a b"],
        ["nowhere"],
        ["sync", "--queue=database:a"],
    ],
)
def test_words_that_do_not_fit_are_refused(ready: Site, words: list[str]) -> None:
    """Exit 2, and nothing is paused."""
    assert ready.run("drain", *words).code == 2
    assert paused(ready) == {}


def test_a_mistyped_queue_is_doubted(ready: Site) -> None:
    """It is paused all the same, as by `pause`."""
    ready.push("mail")
    run = ready.run("drain", "--queue=mial")
    assert run.code == 0
    assert "Did you mean 'mail'?" in run.err


def test_a_connection_that_keeps_no_jobs_is_always_at_rest(ready: Site) -> None:
    """And said to be."""
    run = ready.run("drain", "sync")
    assert run.code == 0
    assert "nothing to drain" in run.err
