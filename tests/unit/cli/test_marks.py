"""`restart`, `pause`, `resume`: marks on every connection that is configured."""

from __future__ import annotations

import pytest

from queuectl.drivers.control import EVERY_QUEUE
from tests.unit.cli.conftest import Site

TWO = """\
default = "database"
[connections.database]
[connections.other]
driver = "database"
url = "sqlite:///storage/other.sqlite"
"""


@pytest.fixture
def two(site: Site) -> Site:
    """Two databases."""
    site.write(TWO)
    assert site.run("migrate").code == 0
    return site


def paused(site: Site, connection: str) -> set[str]:
    with site.driver(connection) as driver:
        return set(driver.control.marks().paused)


def restart_mark(site: Site, connection: str) -> str | None:
    with site.driver(connection) as driver:
        return driver.control.marks().restart


def test_restart_reaches_every_connection(two: Site) -> None:
    """And each call is a new mark."""
    run = two.run("queue:restart")
    assert (run.code, run.err) == (0, "Broadcasting queue restart signal.\n")
    first = restart_mark(two, "database")
    assert first is not None
    assert restart_mark(two, "other") == first
    two.run("restart")
    assert restart_mark(two, "database") != first


def test_a_pause_without_connection_is_for_all_of_them(two: Site) -> None:
    """So that nobody has to know which connection carries a queue."""
    run = two.run("pause", "mail")
    assert run.err.splitlines() == [
        "Job processing on queue [database:mail] has been paused.",
        "Job processing on queue [other:mail] has been paused.",
    ]
    assert paused(two, "database") == paused(two, "other") == {"mail"}


def test_a_pause_with_connection_is_for_that_one(two: Site) -> None:
    """Artisan's `[connection:]queue`."""
    assert two.run("queue:pause", "other:mail").code == 0
    assert (paused(two, "database"), paused(two, "other")) == (set(), {"mail"})


@pytest.mark.parametrize("verb", ["resume", "continue", "queue:resume", "queue:continue"])
def test_resume_lifts_the_pause(two: Site, verb: str) -> None:
    """Under each of its names."""
    two.run("pause", "mail")
    run = two.run(verb, "mail")
    assert run.code == 0
    assert "Job processing on queue [database:mail] has been resumed." in run.err
    assert paused(two, "database") == set()


def test_everything_is_paused_and_resumed_at_once(two: Site) -> None:
    """`resume --all` leaves the pauses of single queues, as artisan's, and says so."""
    two.run("pause", "mail")
    run = two.run("pause", "--all")
    assert run.err == "Job processing on all queues across all connections has been paused.\n"
    assert paused(two, "other") == {"mail", EVERY_QUEUE}
    run = two.run("resume", "--all")
    assert "Still paused on [database]: mail." in run.err
    assert paused(two, "other") == {"mail"}


@pytest.mark.parametrize(
    "words",
    [
        ["pause"],
        ["pause", "mail", "--all"],
        ["resume"],
        ["pause", "mail", "--for", "soon"],
        ["pause", "mail", "--for=0"],
    ],
)
def test_words_that_do_not_fit_are_refused(two: Site, words: list[str]) -> None:
    """Exit 2, and nothing is marked."""
    assert two.run(*words).code == 2
    assert paused(two, "database") == set()


def test_marks_that_could_not_all_be_written_are_7(two: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers that can be reached do what was asked; the rest is named."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    run = two.run("pause", "--all")
    assert run.code == 7
    assert "[redis]" in run.err
    assert paused(two, "database") == {EVERY_QUEUE}


def test_a_pause_of_a_mistyped_queue_is_doubted(two: Site) -> None:
    """It is set all the same: the queue may be about to be used for the first time."""
    two.push("notifications")
    run = two.run("pause", "database:notificatons")
    assert run.code == 0
    assert "Did you mean 'notifications'?" in run.err
