"""`completion`: what TAB offers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from queuectl.commands import COMMANDS
from tests.unit.cli.conftest import CONFIG, Site

OTHER = CONFIG + '\n[connections.archive]\ndriver = "database"\nurl = "sqlite:///storage/archive.sqlite"\n'


@pytest.fixture
def ready(ready: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project with two queues, on one of two connections, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(ready.root / "cache"))
    ready.write(OTHER)
    assert ready.run("migrate").code == 0
    ready.push("mail")
    ready.push("media")
    ready.push("old", connection="archive")
    return ready


def offered(site: Site, *words: str) -> list[str]:
    """What may stand in place of the last word."""
    run = site.run("completion", "bash", "--", *words)
    assert (run.code, run.err) == (0, "")
    return [line.partition("\t")[0] for line in run.out.splitlines() if line]


def test_commands_are_offered_once(site: Site) -> None:
    """Under their first names, unless another one has been begun."""
    assert offered(site, "") == [spec.name for spec in COMMANDS]
    assert offered(site, "mon") == ["monitor"]
    assert offered(site, "queue:mon") == ["queue:monitor"]
    assert offered(site, "--config", "x.toml", "mon") == ["monitor"]
    assert offered(site, "no-such") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("monitor", "m"), ["mail", "media"]),
        (("monitor", ""), ["archive:old", "default", "mail", "media"]),
        (("pause", "archive:"), ["archive:old"]),
        (("work", "--queue", "ma"), ["mail"]),
        (("work", "--queue=ma"), ["--queue=mail"]),
        (("work", "--queue=mail,me"), ["--queue=mail,media"]),
        (("work", "--queue", "mail,m"), ["mail,media"]),
        (("work", "da"), ["database"]),
        (("queue:work", "--sleep=3", "--queue=med"), ["--queue=media"]),
        (("failed", "--connection", "a"), ["archive"]),
        (("dispatch", "Ma"), ["Mail"]),
        (("dispatch", "Mail", ""), []),
        (("help", "exit"), ["exit-codes"]),
        (("completion", "z"), ["zsh"]),
        (("jobs", ""), ["list", "show", "cancel"]),
        (("jobs", "list", "--queue=me"), ["--queue=media"]),
        (("queue", "mon"), ["monitor"]),
        (("queue", "monitor", "med"), ["media"]),
        (("failed", "sh"), ["show"]),
        (("doctor", "--skip=clock,serv"), ["--skip=clock,server"]),
        (("work", "--sle"), ["--sleep"]),
        (("work", "--sleep", ""), []),
        (("work", "--sleep=3", "--sle"), []),
        (("config", "--config", ""), []),
        (("no-such-command", ""), []),
    ],
)
def test_names_are_offered_where_they_may_stand(ready: Site, words: tuple[str, ...], expected: list[str]) -> None:
    """Of queues, connections, jobs, and whatever else has names."""
    assert offered(ready, *words) == expected


def test_failed_jobs_are_offered_by_their_uuids(ready: Site) -> None:
    """The newest first, behind the words that may stand there as well."""
    uuids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(2)]
    ready.fail(*uuids)
    assert offered(ready, "retry", "") == ["all", *reversed(uuids)]
    assert offered(ready, "forget", uuids[0], "0000000") == list(reversed(uuids))
    assert offered(ready, "failed:show", "") == list(reversed(uuids))
    assert offered(ready, "failed", "--error=OS") == ["--error=OSError"]
    with ready.driver() as driver:
        [group] = {job.fingerprint for job in driver.failed.page().items}
    assert offered(ready, "retry", "--group", group[:2]) == [group]


def test_what_is_wrong_is_no_matter(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is away or a file that is broken: there is less to offer, and not a word."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert "mail" in offered(ready, "monitor", "")
    ready.write("default = 5")
    assert offered(ready, "monitor", "") == []


def test_hostile_names_are_not_typed_for_anybody(ready: Site) -> None:
    """What would steer a terminal is no candidate."""
    ready.fail("0\x1b[31m", "1-good")
    assert offered(ready, "retry", "") == ["all", "1-good"]


def modules_after(root: Path, *words: str) -> set[str]:
    program = "import sys; from queuectl.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", program, *words], cwd=root, capture_output=True, text=True, check=True)
    return set(run.stderr.splitlines()[-1].split())


def test_tab_imports_the_application_for_job_names_only(ready: Site) -> None:
    """And for those once: a lock file or a fresh memory lists them."""
    assert "shop" not in modules_after(ready.root, "completion", "bash", "--", "work", "--queue=")
    asked = ("completion", "bash", "--", "dispatch", "")
    assert "shop" in modules_after(ready.root, *asked)
    assert "shop" not in modules_after(ready.root, *asked)
    (ready.root / "conf" / "jobs.lock").write_text('{"version": 1, "jobs": {"Locked": {"arguments": []}}}')
    assert offered(ready, "dispatch", "") == ["Locked"]


def test_an_unknown_shell_is_guessed(site: Site) -> None:
    """Exit 2, and those there are."""
    run = site.run("completion", "bsh")
    assert (run.code, "Did you mean 'bash'?" in run.err) == (2, True)
