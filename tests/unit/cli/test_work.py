"""`work`: what artisan's options become. The worker itself has tests of its own."""

from __future__ import annotations

import sys

import pytest

from queuectl.commands import work
from queuectl.commands.session import Session
from queuectl.commands.version import version
from queuectl.worker.options import WorkerOptions
from tests.unit.cli.conftest import Run, Site


class Started:
    """Takes the place of the process that would start, and keeps what it was told."""

    connection = ""
    options: WorkerOptions

    def __call__(self, session: Session, connection: str, options: WorkerOptions, *, as_json: bool) -> int:
        self.connection, self.options = connection, options
        return 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    found = Started()
    monkeypatch.setattr(work, "run", found)
    return found


def test_the_defaults_are_artisans(site: Site, started: Started) -> None:
    """A bare `queue:work` means the same as there."""
    assert site.run("queue:work").code == 0
    assert started.connection == "database"
    assert started.options == WorkerOptions(queues=("default",), version=version())


def test_a_line_from_a_supervisor_file_works(site: Site, started: Started) -> None:
    """Artisan's options with artisan's spelling, and the deprecated ones ignored."""
    line = "queue:work database --queue=high,low --sleep=3 --tries=3 --max-time=3600 --backoff=1,5,10 --memory=256"
    more = "--timeout=90 --rest=0.5 --max-jobs=10 --name=w --delay=0 --daemon -q"
    assert site.run(*line.split(), *more.split()).code == 0
    options = started.options
    assert options.queues == ("high", "low")
    assert (options.tries, options.backoff, options.max_time, options.memory) == (3, (1, 5, 10), 3600, 256)
    assert (options.timeout, options.rest, options.max_jobs, options.name) == (90, 0.5, 10, "w")


def test_our_own_options_take_words(site: Site, started: Started) -> None:
    """Durations such as 1m, as everywhere."""
    assert site.run("work", "--workers=4", "--grace=1m", "--kill-after=5", "--max-downtime=10m").code == 0
    options = started.options
    assert (options.workers, options.grace, options.kill_after, options.max_downtime) == (4, 60, 5, 600)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--tries=-1"], "--tries"),
        (["--workers=0"], "--workers"),
        (["--sleep=soon"], "--sleep"),
        (["--backoff="], "--backoff"),
        (["databse"], "Did you mean 'database'?"),
        (["--queue=a b"], "a b"),
        (["--stop-when-emtpy"], "--stop-when-e"),
    ],
)
def test_a_wrong_option_is_a_usage_error(site: Site, words: list[str], says: str) -> None:
    """Exit 2 before anything starts."""
    run = site.run("work", *words)
    assert run.code == 2
    assert says in run.err


def test_on_sync_there_is_nothing_to_work(site: Site) -> None:
    """A run that may end says so and ends well; a daemon would never do anything, and is told what to set."""
    site.write('default = "sync"')
    for words in (["--once"], ["--stop-when-empty"], ["--stop-when-empty-for=5"]):
        run = site.run("work", *words)
        assert (run.code, run.out) == (0, "")
        assert "nothing to work" in run.err
    run: Run = site.run("work")
    assert run.code == 78
    assert "QUEUE_CONNECTION=database" in run.err


def test_without_watchfiles_listening_says_what_to_install(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 78, and the command; under both names."""
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    for words in (["work", "--listen"], ["queue:listen"]):
        run = site.run(*words)
        assert run.code == 78
        assert run.err.splitlines()[-2:] == [
            "error: Watching files needs the Python package 'watchfiles'.",
            "pip install 'queuectl-artisan[watch]'",
        ]


def test_listening_takes_the_options_of_work(site: Site, started: Started) -> None:
    """A mistake is one before anything starts."""
    assert site.run("listen", "--tries=many").code == 2
    assert site.run("listen", "--backoff=x").code == 2
