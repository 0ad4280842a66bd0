"""`dispatch` and `jobs`: the two commands that import the application."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from queuectl.jobs.payload import decode
from queuectl.jobs.runtime import bind_process
from tests.unit.cli.conftest import Site


@pytest.fixture
def shop(ready: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A project whose jobs are forgotten after the test, as are those of another project before it."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    sys.modules.pop("shop", None)
    yield ready
    sys.modules.pop("shop", None)
    bind_process(None)


def test_a_job_is_dispatched_by_name(shop: Site) -> None:
    """To the queue of its class; the uuid is the only thing on stdout."""
    run = shop.run("dispatch", "Mail", '{"to": "ann"}')
    assert run.code == 0
    with shop.driver() as driver:
        [stored] = driver.page("mail", "ready").items
    assert decode(stored.payload).uuid == run.out.strip()
    assert shop.run("dispatch", "Mail", '["bob", 2]', "--json").json["job"] == "Mail"


def test_queue_and_delay_may_be_chosen(shop: Site) -> None:
    """Words such as 10m for the delay."""
    assert shop.run("dispatch", "Mail", '["ann"]', "--queue=slow", "--delay=10m").code == 0
    with shop.driver() as driver:
        assert driver.counts(["slow"])["slow"].delayed == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["Mial", "[]"], 1, "Did you mean 'Mail'?"),
        (["Mail", "{to: ann}"], 2, "not JSON"),
        (["Mail", '"ann"'], 2, "neither an object nor a list"),
        (["Mail", "[" * 100_000 + "]" * 100_000], 2, "nested too deeply"),
        (["Mail", '{"to": NaN}'], 2, "NaN is no number of JSON"),
        (["Mail", "{}"], 1, "to"),
        (["Mail", '["ann"]', "--connection=databse"], 2, "Did you mean 'database'?"),
        (["Mail", '["ann"]', "--queue=a b"], 2, "a b"),
        (["Mail", '["ann"]', "--delay=soon"], 2, "--delay"),
    ],
)
def test_a_wrong_dispatch_is_one_line(shop: Site, words: list[str], code: int, says: str) -> None:
    """It names what was wrong, and nothing is pushed."""
    run = shop.run("dispatch", *words)
    assert run.code == code
    assert says in run.err
    assert "Traceback" not in run.err
    assert shop.size("mail") == 0


def test_the_jobs_are_listed_with_fields_and_settings(shop: Site) -> None:
    """Those of the application and those in the box."""
    found = {job["name"]: job for job in shop.run("jobs", "--json").json}
    assert {"Mail", "SendNotificationJob", "ProcessImageJob"} <= set(found)
    mail = found["Mail"]
    assert mail["arguments"] == [
        {"name": "to", "type": "str", "required": True},
        {"name": "copies", "type": "int", "required": False},
    ]
    assert (mail["queue"], mail["tries"], mail["backoff"]) == ("mail", 3, [10, 30])
    assert mail["summary"] == "Send a letter."
    assert "to: str, [copies: int]" in shop.run("jobs").out


def test_an_unknown_job_comes_with_the_place_of_the_modules(shop: Site) -> None:
    """Most often a module is missing there."""
    assert shop.run("dispatch", "Latter", "[]").err.splitlines()[1].startswith("`jobs` in conf/queue.toml names")


def test_every_setting_is_listed(shop: Site) -> None:
    """Spans in seconds; and no summary where nobody wrote one."""
    (shop.root / "shop.py").write_text(
        "from datetime import timedelta\n"
        "from queuectl import Job\n\n\n"
        "class Mail(Job):\n"
        "    token: str = 's3cr3t-canary'\n"
        "    retry_until = timedelta(hours=1)\n"
        "    delay = 5\n\n"
        "    def handle(self) -> None: ...\n"
    )
    found = {job["name"]: job for job in shop.run("jobs", "--json").json}["Mail"]
    assert (found["retry_until"], found["delay"], found["summary"]) == (3600.0, 5, "")
    assert "retry_until=3600.0 delay=5" in shop.run("jobs").out


@pytest.mark.parametrize("words", [["jobs"], ["dispatch", "Mail", '["ann"]', "--connection=sync"]])
def test_what_the_application_prints_is_no_data(shop: Site, words: list[str]) -> None:
    """While it is imported, and while its job runs: stdout stays one document."""
    (shop.root / "shop.py").write_text(
        "from queuectl import Job\n\nprint('imported')\n\n\n"
        "class Mail(Job):\n    to: str\n\n    def handle(self) -> None:\n        print('sent')\n"
    )
    run = shop.run(*words, "--json")
    assert run.json
    assert run.err.split() == ["imported"] + ["sent"] * (words[0] == "dispatch")


def test_a_module_that_cannot_be_imported_is_78(shop: Site) -> None:
    """With the reason, for people who run a deployment."""
    (shop.root / "shop.py").write_text("import no_such_module")
    run = shop.run("jobs")
    assert run.code == 78
    first, *details = run.err.splitlines()
    assert "no_such_module" in first
    assert details[-2].startswith("    ModuleNotFoundError")


@pytest.mark.parametrize("verb", ["raise ValueError('no\x1b[2J paper')", "raise SystemExit(0)"])
def test_on_sync_a_failing_job_is_1(shop: Site, verb: str) -> None:
    """It ran here and now, and its error is told in one harmless line."""
    (shop.root / "shop.py").write_text(
        f"from queuectl import Job\nclass Bad(Job):\n    def handle(self):\n        {verb}\n"
    )
    run = shop.run("dispatch", "Bad", "--connection=sync")
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith("error: The job failed: ")
    assert "\x1b" not in run.err


def test_a_job_that_does_not_end_in_time_is_3(shop: Site) -> None:
    """It stays where it is, and nobody has to guess why it did not run."""
    run = shop.run("dispatch", "Mail", '["ann"]', "--wait", "--timeout=0.1")
    assert (run.code, shop.size("mail")) == (3, 1)
    assert "No worker is alive for [mail]: `queuectl work database --queue=mail` is one." in run.err
    assert f"`queuectl explain {run.out.strip()}`" in run.err
    found = shop.run("dispatch", "Mail", '["ann"]', "--wait", "--timeout=0.1", "--json").json
    assert (found["job"], found["status"], found["ended_at"]) == ("Mail", "waiting", None)


def test_on_sync_there_is_nothing_to_wait_for(shop: Site) -> None:
    """The job has been run."""
    run = shop.run("dispatch", "Mail", '["ann"]', "--connection=sync", "--wait", "--json")
    assert (run.code, run.json["status"]) == (0, "done")


@pytest.mark.parametrize("words", [["--timeout=5"], ["--wait", "--timeout=0"], ["--wait", "--timeout=soon"]])
def test_words_about_waiting_have_to_fit(shop: Site, words: list[str]) -> None:
    """Before anything is dispatched."""
    assert shop.run("dispatch", "Mail", '["ann"]', *words).code == 2
    assert shop.size("mail") == 0
