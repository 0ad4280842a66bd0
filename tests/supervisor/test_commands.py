"""`supervisor:config` and `systemd:config`: from options to files, for the project that they are called in."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from queuectl.commands import work, work_words
from queuectl.commands.session import Session
from queuectl.worker.options import WorkerOptions
from tests.supervisor.conftest import Described, Read
from tests.unit.cli.conftest import Site

PROGRAM = str(Path(sys.executable).with_name("queuectl"))
COMMANDS = ("supervisor:config", "systemd:config")
CONFIG = """\
default = "database"
jobs = ["warehouse"]

[connections.database]

[connections.redis]
"""
JOBS = """\
from queuectl import Job

print("imported")


class Count(Job):
    timeout = 600

    def handle(self) -> None: ...
"""
VARIABLES = ("QUEUE_CONNECTION", "QUEUE_DATABASE_URL", "QUEUE_APP_URL", "REDIS_URL", "QUEUECTL_CONFIG")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project whose slowest job takes ten minutes."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "warehouse", raising=False)
    (tmp_path / "storage/logs").mkdir(parents=True)
    (tmp_path / "warehouse.py").write_text(JOBS)
    found = Site(tmp_path)
    found.write(CONFIG)
    return found


def processes(site: Site, read: Read, *options: str) -> Described:
    """What Supervisor finds in the section that these options give."""
    run = site.run("supervisor:config", *options)
    assert run.code == 0, run.err
    return read(run.out)


def test_the_defaults_are_the_section_that_laravels_users_know(site: Site, read: Read) -> None:
    """With full paths, and a stop that the longest job fits into."""
    first, second = processes(site, read, "--queue=notifications-high,notifications")
    assert (first["name"], second["name"]) == ("queuectl-worker_00", "queuectl-worker_01")
    line = f"{PROGRAM} work --queue=notifications-high,notifications --sleep=3 --tries=3 --max-time=3600"
    assert first["argv"] == line.split()
    assert first["directory"] == str(site.root)
    assert first["stdout_logfile"] == f"{site.root}/storage/logs/queuectl-worker.log"
    assert first["stopwaitsecs"] == 617


def test_stdout_is_the_file_and_nothing_else(site: Site) -> None:
    """What the application prints while its jobs are asked goes to stderr."""
    for command in COMMANDS:
        run = site.run(command)
        assert "imported" not in run.out
        assert run.out.endswith("\n")
        assert not run.out.endswith("\n\n")


def test_the_workers_options_arrive(site: Site, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """`work` understands the line as it was meant."""
    options = "--queue=a,b --sleep=0.5 --tries=0 --max-time=1h --max-jobs=9 --timeout=2m --backoff=1,5 --rest=1"
    more = "--memory=256 --workers=4 --grace=30 --kill-after=5 --max-downtime=10m"
    [process, *_] = processes(site, read, "redis", *options.split(), *more.split())
    started: dict[str, object] = {}

    def run(session: Session, connection: str, options: WorkerOptions, *, as_json: bool) -> int:
        started.update(asdict(options), connection=connection)
        return 0

    monkeypatch.setattr(work, "run", run)
    assert site.run(*process["argv"][1:]).code == 0
    expected = {"connection": "redis", "queues": ("a", "b"), "sleep": 0.5, "tries": 0, "max_time": 3600, "max_jobs": 9}
    expected |= {"timeout": 120, "backoff": (1, 5), "rest": 1, "memory": 256, "workers": 4}
    expected |= {"grace": 30, "kill_after": 5, "max_downtime": 600}
    assert started.items() >= expected.items()


def test_each_program_has_a_name_of_its_own(site: Site, read: Read) -> None:
    """One call a program: several may stand side by side."""
    high = site.run("supervisor:config", "--name=high", "--queue=notifications-high", "--numprocs=3").out
    low = site.run("supervisor:config", "--name=low", "--queue=notifications", "--numprocs=1").out
    found = read(high + low)
    assert [process["name"] for process in found] == ["high_00", "high_01", "high_02", "low_00"]
    assert found[-1]["argv"][-1] == "--name=low"


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ([], 617),
        (["--timeout=900"], 917),
        (["--kill-after=10"], 625),
        (["--grace=25"], 42),
        (["--stopwaitsecs=2m"], 120),
    ],
)
def test_a_stop_may_take_as_long_as_a_job(site: Site, options: list[str], seconds: int) -> None:
    """The longest timeout there is, or the grace, or what was said."""
    assert f"\nstopwaitsecs={seconds}\n" in site.run("supervisor:config", *options).out
    assert f"\nTimeoutStopSec={seconds}\n" in site.run("systemd:config", *options).out


@pytest.mark.parametrize("command", COMMANDS)
def test_an_application_that_cannot_be_imported_is_told(site: Site, command: str) -> None:
    """With its own error, and with what does without it."""
    (site.root / "warehouse.py").write_text("import no_such_module\n")
    run = site.run(command)
    assert (run.code, run.out) == (78, "")
    assert "no_such_module" in run.err
    assert "--stopwaitsecs" in run.err
    assert site.run(command, "--stopwaitsecs=60").code == 0
    assert site.run(command, "--grace=60").code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_job_without_a_limit_asks_for_an_answer(site: Site, command: str) -> None:
    """How long a stop may take cannot be guessed."""
    run = site.run(command, "--timeout=0")
    assert run.code == 2
    assert "No time limit: ProcessImageJob, SendNotificationJob" in run.err
    assert "--stopwaitsecs" in run.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "words",
    [
        ["--name=a b"],
        ["--name=x]\n[program:y"],
        ["--user=a:b"],
        ["--numprocs=0"],
        ["--queue=a b"],
        ["--sleep=soon"],
        ["--backoff=x"],
        ["--tries=-1"],
        ["--stopwaitsecs=soon"],
        ["--executable=queuectl"],
        ["--directory=/srv/a\nb"],
        ["--log-file=log"],
        ["databse"],
        ["--once"],
    ],
)
def test_a_wrong_option_is_a_usage_error(site: Site, command: str, words: list[str]) -> None:
    """Exit 2, and no file that would be wrong in the night."""
    run = site.run(command, *words, "--output=out")
    assert (run.code, run.out) == (2, "")
    assert not (site.root / "out").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_is_written_once(site: Site, command: str) -> None:
    """Readable by all, with what to do next; again only by `--force`."""
    run = site.run(command, "--output=out")
    assert (run.code, run.out) == (0, "")
    assert "ctl " in run.err
    out = site.root / "out"
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    refused = site.run(command, "--name=other", "--output=out")
    assert refused.code == 1
    assert "--force" in refused.err
    assert "other" not in out.read_text()
    assert site.run(command, "--name=other", "--output=out", "--force").code == 0
    assert "other" in out.read_text()


@pytest.mark.fault("X10")
@pytest.mark.parametrize("command", COMMANDS)
def test_no_secret_is_copied(site: Site, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from the environment nor from `.env`; what is set here and matters there is named."""
    monkeypatch.setenv("REDIS_URL", "redis://:s3cr3t-canary@cache/0")
    (site.root / ".env").write_text("QUEUE_DATABASE_URL=postgresql://app:s3cr3t-canary@db/app\n")
    run = site.run(command)
    assert "s3cr3t-canary" not in run.out + run.err
    assert "REDIS_URL: set here, and not copied" in run.err


def test_the_configuration_that_was_named_is_named_again(site: Site, read: Read) -> None:
    """A worker in the project's folder finds the usual one by itself."""
    (site.root / "other.toml").write_text(CONFIG)
    [named, _] = processes(site, read, "--config=other.toml")
    assert f"--config={site.root}/other.toml" in named["argv"]
    [usual, _] = processes(site, read, "--config=conf/queue.toml")
    assert not [word for word in usual["argv"] if word.startswith("--config")]


def test_another_machine_can_be_written_for(site: Site, read: Read) -> None:
    """Nothing of this one's paths is left."""
    options = ("--directory=/srv/app/current", "--executable=/srv/app/venv/bin/queuectl", "--log-file=/dev/null")
    text = site.run("supervisor:config", *options).out
    assert str(site.root) not in text
    assert PROGRAM not in text
    assert read(text)[0]["directory"] == "/srv/app/current"


def test_what_is_missing_is_said(site: Site) -> None:
    """The folder of the log, without which Supervisor refuses all of its configuration; and a queue to work."""
    (site.root / "storage/logs").rmdir()
    site.write('default = "sync"')
    err = site.run("supervisor:config").err
    assert f"mkdir -p {site.root}/storage/logs" in err
    assert "[sync] runs jobs at once" in err
    assert "mkdir" not in site.run("systemd:config").err


def test_a_user_who_cannot_believe_the_configuration_is_told(site: Site) -> None:
    """Files of a stranger are refused when a worker starts: better to know now."""
    file = site.root / "conf/queue.toml"
    mine = file.owner()
    assert "believe" not in site.run("supervisor:config", f"--user={mine}").err
    if os.geteuid() == 0:  # whom everybody believes
        os.chown(file, 65534, -1)
    assert "will not believe it" in site.run("supervisor:config", "--user=somebody-else").err


def test_a_unit_goes_to_the_journal_or_to_a_file(site: Site) -> None:
    """As it is asked."""
    assert "StandardOutput" not in site.run("systemd:config").out
    assert (
        "\nStandardOutput=append:/var/log/50%%.log\n" in site.run("systemd:config", "--log-file=/var/log/50%.log").out
    )


def test_what_is_passed_on_has_a_value() -> None:
    """A flag among the options of `work` would need another spelling."""
    assert [one.name for one in work_words.parameters() if isinstance(one.default, bool)] == []
