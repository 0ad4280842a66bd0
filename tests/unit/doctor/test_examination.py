"""`queuectl doctor` as a whole: what it prints, how it ends, and that nothing keeps it from its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from queuectl.doctor import NAMES
from queuectl.doctor.examination import CHECKS
from tests.unit.cli.conftest import Site, failed_record
from tests.unit.doctor.conftest import CANARY, Examine

BROKEN = {
    "syntax": ('default = "database\n', "conf/queue.toml is not TOML: "),
    "key": ('\ndefalt = "sync"\n', "conf/queue.toml:2: unknown key 'defalt'. Did you mean 'default'?"),
    "connection": ('default = "redsi"\n', "The 'redsi' queue connection has not been configured"),
}


def test_a_newcomer_is_told_that_nothing_is_wrong(tmp_path: Path, examine: Examine) -> None:
    """In an empty folder: jobs run at once, there is no server to be missed, and nothing to repair."""
    for path in tmp_path.rglob("*.*"):
        path.unlink()
    examined = examine()
    assert {one["status"] for one in examined.checks} == {"ok"}
    assert "the built-in values hold; jobs go to [sync]" in examined.of("configuration")["detail"]
    assert list(tmp_path.iterdir()) == [tmp_path / "conf"]


def test_a_project_that_is_well_is_told_so(ready: Site, examine: Examine) -> None:
    """With its tables made and nothing in its queues: no failure, no warning."""
    assert {one["status"] for one in examine().checks} == {"ok"}
    run = ready.run("doctor", "-q")
    assert (run.code, run.out, run.err) == (0, "", "")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_configuration_is_the_finding(site: Site, examine: Examine, kind: str) -> None:
    """With file and line; what needs none is examined all the same."""
    text, complaint = BROKEN[kind]
    site.write(text)
    examined = examine()
    assert [one["name"] for one in examined.checks] == ["configuration", "pictures"]
    assert examined.status("configuration") == "failed"
    assert examined.of("configuration")["detail"].startswith(complaint)
    assert examine("disks").status("configuration") == "failed"


def test_where_the_values_that_matter_come_from_is_told(site: Site, examine: Examine) -> None:
    """File and line, `.env`, environment, default; passwords masked."""
    site.write('default = "database"\n[connections.redis]\n[log]\nfile = "q.log"\n')
    (site.root / ".env").write_text(f"REDIS_URL=redis://app:{CANARY}@127.0.0.1:1/0\n")
    (site.root / ".env").chmod(0o600)
    facts = examine("configuration").of("configuration")["facts"]
    assert facts["default"] == "database (from conf/queue.toml:1)"
    assert facts["connections.redis.url"] == "redis://app:***@127.0.0.1:1/0 (from .env: REDIS_URL)"
    assert facts["log.file"] == "q.log (from conf/queue.toml:4)"
    assert facts["notifications.connection"] == "database (from default)"


def test_a_note_about_the_configuration_is_a_warning(site: Site, examine: Examine) -> None:
    """As a line of `.env` that assigns nothing."""
    (site.root / ".env").write_text("what is this\n")
    warned = [one for one in examine("configuration").checks if one["status"] == "warning"]
    assert [one["detail"] for one in warned] == [".env:1 is not NAME=value; it is left out."]


def test_checks_can_be_chosen(ready: Site, examine: Examine) -> None:
    """By name; those that are left out are not made."""
    assert [one["name"] for one in examine("tables", "log").checks] == ["tables", "log"]
    names = [one["name"] for one in examine(options=("--skip", "jobs,pictures")).checks]
    assert {"jobs", "pictures"}.isdisjoint(names)
    assert "tables" in names


@pytest.mark.parametrize("option", ["--only", "--skip"])
def test_a_check_that_there_is_not_is_told(site: Site, option: str) -> None:
    """With what was probably meant."""
    run = site.run("doctor", option, "tabels")
    assert (run.code, "Did you mean 'tables'?" in run.err) == (2, True)


def test_the_document_counts_what_it_holds(site: Site, examine: Examine) -> None:
    """The worst of all, how many there are of each, and every finding whole."""
    document = examine("tables", "disks", "log").run.json
    assert {key: document[key] for key in ("status", "ok", "warning", "failed")} == {
        "status": "failed",
        "ok": 2,
        "warning": 0,
        "failed": 1,
    }
    assert all(one.keys() == {"name", "subject", "status", "detail", "fix", "facts"} for one in document["checks"])


def test_people_read_each_finding_with_its_remedy(site: Site) -> None:
    """A line for the check, one for what was found, one for what to do; quietly, only what is not well."""
    run = site.run("doctor", "-q", "--only", "tables,log")
    assert run.code == 9
    first, detail, fix = run.out.splitlines()
    assert first.split() == ["tables", "[database]", first.split()[2], "FAILED"]
    assert detail.startswith("    Tables are missing")
    assert fix == "    fix: queuectl migrate database"
    assert site.run("doctor", "--only", "tables,log").err == "2 checks: 1 ok, 0 warning, 1 failed.\n"


@pytest.mark.fault("X11")
def test_text_from_a_store_steers_no_terminal(ready: Site) -> None:
    """A failed job's message is shown with visible escapes."""
    with ready.driver() as driver:
        driver.failed.add([failed_record("00000001-0000-4000-8000-000000000000", message="\x1b[2Jgone")])
    run = ready.run("doctor", "--only", "failed", terminal=True)
    assert "\\x1b[2Jgone" in run.out
    assert "\x1b[2J" not in run.out


@pytest.mark.fault("X10")
def test_no_password_is_ever_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is away, in every format, and with tracebacks."""
    site.write(
        f'default = "redis"\n[connections.redis]\n[connections.pg]\ndriver = "database"\n'
        f'url = "postgresql://app:{CANARY}@127.0.0.1:1/x"\n[connections.my]\ndriver = "database"\n'
        f'url = "mysql://app:{CANARY}@127.0.0.1:1/x"\n[log]\nfile = "q.log"\n'
    )
    monkeypatch.setenv("REDIS_URL", f"redis://app:{CANARY}@127.0.0.1:1/0")
    for words in ((), ("--json",), ("-v",), ("-vv",)):
        run = site.run("doctor", "--skip", "jobs,pictures", *words)
        assert run.code == 9
        assert CANARY not in run.out + run.err
    assert not (site.root / "q.log").exists()


def test_a_check_that_breaks_hides_no_other(ready: Site, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a finding like any other."""
    monkeypatch.setitem(CHECKS, "clock", lambda patient: [1 / 0])
    examined = examine("clock", "log")
    assert examined.status("log") == "ok"
    assert "ZeroDivisionError" in examined.of("clock")["detail"]


@pytest.mark.fault("X17")
def test_the_application_is_not_imported_here(ready: Site) -> None:
    """Only in a process of its own, which may break."""
    program = (
        "import sys; from queuectl.cli import main; code = main(['doctor', '--json']);"
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ready.root, capture_output=True, text=True, check=True)
    loaded = set(run.stderr.splitlines()[-1].split())
    assert loaded.isdisjoint({"shop", "redis", "psycopg", "pymysql", "queuectl.worker.worker"})


def test_every_check_is_explained() -> None:
    """In the reference of the command line."""
    text = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    section = text.partition("### doctor\n")[2].partition("\n### ")[0]
    assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == list(NAMES)
