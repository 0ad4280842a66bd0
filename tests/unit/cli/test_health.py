"""`health`: what probes are answered."""

from __future__ import annotations

import socket
import time

import pytest

from queuectl.drivers.control import Beat
from tests.unit.cli.conftest import Site

HERE = socket.gethostname()


def beat(
    site: Site, *, name: str = "default", host: str = HERE, queues: tuple[str, ...] = ("mail",), ago: float = 1
) -> None:
    at = time.time() - ago
    running = ({"job": "Mail", "uuid": "u", "queue": "mail", "since": at},)
    with site.driver() as driver:
        driver.control.beat(Beat(f"{host}:7:{name}", name, host, 7, queues, at, at, 1, 12, running=running))


def test_a_worker_of_this_host_is_live(ready: Site) -> None:
    """In one line with what it does; a worker of another host is none of ours."""
    beat(ready, host="elsewhere")
    run = ready.run("health", "--live")
    assert (run.code, run.out) == (1, f"not live: no worker of host {HERE} has given a sign of life within 30s\n")
    beat(ready)
    run = ready.run("health", "--live")
    assert (run.code, run.out, run.err) == (0, f"live: default on {HERE} (pid 7, runs 1 job, seen 1s ago)\n", "")


def test_a_worker_is_live_by_its_name(ready: Site) -> None:
    """Wherever it runs."""
    beat(ready, name="blue", host="elsewhere")
    assert ready.run("health", "--live", "--name=blue").code == 0
    run = ready.run("health", "--live", "--name=green", "--json")
    assert (run.code, run.json) == (1, {"live": False, "workers": []})


def test_a_sign_of_life_may_be_too_old(ready: Site) -> None:
    """Older than --max-age."""
    beat(ready, ago=12)
    assert ready.run("health", "--live", "--max-age=15s").code == 0
    assert ready.run("health", "--live", "--max-age=10").code == 1
    assert ready.run("health", "--ready", "--queue=mail", "--max-age=10").code == 1


def test_what_lives_is_told_to_programs(ready: Site) -> None:
    """With what a dashboard would want to know."""
    beat(ready)
    [worker] = ready.run("queue:health", "--live", "--json").json["workers"]
    assert {key: worker[key] for key in ("connection", "name", "host", "pid", "queues", "running", "processed")} == {
        "connection": "database",
        "name": "default",
        "host": HERE,
        "pid": 7,
        "queues": ["mail"],
        "running": 1,
        "processed": 12,
    }


def test_a_store_with_its_tables_is_ready(ready: Site) -> None:
    """Without workers, as long as no queue is named."""
    run = ready.run("health", "--ready")
    assert (run.code, run.out) == (0, "ready: database answers\n")


def test_each_queue_that_is_named_has_to_be_served(ready: Site) -> None:
    """By some worker, somewhere."""
    beat(ready, host="elsewhere", queues=("mail", "image"))
    run = ready.run("health", "--ready", "--queue=mail,database:image")
    assert (run.code, run.out) == (0, "ready: database answers, mail, database:image served\n")
    run = ready.run("health", "--ready", "--queue=mail,video", "--json")
    assert run.code == 1
    assert run.json == {
        "ready": False,
        "connections": ["database"],
        "served": ["database:mail"],
        "unserved": ["database:video"],
    }


@pytest.mark.parametrize("probe", ["--live", "--ready"])
def test_a_store_that_is_away_is_69(site: Site, monkeypatch: pytest.MonkeyPatch, probe: str) -> None:
    """Whether somebody lives there cannot be known."""
    monkeypatch.setenv("QUEUE_CONNECTION", "redis")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert site.run("health", probe, "--connection=redis").code == 69


def test_one_store_that_is_away_does_not_hide_a_living_worker(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not all that is needed is there."""
    beat(ready)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert ready.run("health", "--live").code == 0
    assert ready.run("health", "--ready").code == 69


@pytest.mark.parametrize("probe", ["--live", "--ready"])
def test_a_store_without_tables_is_78(site: Site, probe: str) -> None:
    """With the command that makes them."""
    run = site.run("health", probe)
    assert run.code == 78
    assert "queuectl migrate" in run.err


@pytest.mark.parametrize(
    "words",
    [[], ["--live", "--ready"], ["--ready", "--name=x"], ["--live", "--queue=x"], ["--live", "--max-age=soon"]],
)
def test_words_that_do_not_fit_are_refused(ready: Site, words: list[str]) -> None:
    """A probe that asks nothing is not answered with yes."""
    assert ready.run("health", *words).code == 2
