"""Supervisor's patience against the longest job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Site
from tests.unit.doctor.conftest import Examine

SHIPPED = Path(__file__).parents[3] / "conf/supervisor/queuectl-worker.conf"
PROGRAM = """\
[program:w]
directory={directory}
command={command}
{patience}
"""
SLOW = "\n\nclass Slow(Mail):\n    timeout = 900\n\n    def handle(self) -> None: ...\n"


@pytest.fixture
def slow(ready: Site) -> Site:
    """A project with a job that may take fifteen minutes."""
    with (ready.root / "shop.py").open("a") as file:
        file.write(SLOW)
    (ready.root / "conf/supervisor").mkdir()
    return ready


def supervise(
    site: Site,
    *,
    command: str = "queuectl work",
    patience: str = "",
    directory: str = "%(here)s/../..",
    name: str = "w",
) -> Path:
    file = site.root / f"conf/supervisor/{name}.conf"
    line = f"stopwaitsecs={patience} ; seconds" if patience else ""
    file.write_text(PROGRAM.format(directory=directory, command=command, patience=line))
    return file


def test_the_file_that_comes_with_us_is_long_enough(slow: Site, examine: Examine) -> None:
    """For jobs of up to an hour."""
    (slow.root / "conf/supervisor/queuectl-worker.conf").write_text(SHIPPED.read_text())
    found = examine("supervisor").of("supervisor")
    assert found["status"] == "ok"
    assert found["detail"] == "stopwaitsecs=3600; a stop may take 902 s."


@pytest.mark.parametrize("patience", ["", "60", "901"])
def test_a_patience_that_is_too_short_fails(slow: Site, examine: Examine, patience: str) -> None:
    """Supervisor's own is ten seconds; the remedy is the line, and then it is long enough."""
    file = supervise(slow, patience=patience)
    found = examine("supervisor").of("supervisor")
    assert found["status"] == "failed"
    assert found["subject"] == f"{file} [program:w]"
    line = found["fix"].partition("  #")[0]
    supervise(slow, patience=line.removeprefix("stopwaitsecs="))
    assert examine("supervisor").status("supervisor") == "ok"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("/srv/app/.venv/bin/queuectl queue:work redis --timeout=1000", "failed"),
        ("python -m queuectl work --timeout 16m", "failed"),
        ("queuectl work --grace=10", "ok"),
        ("queuectl work --kill-after=120", "failed"),
        ("sh -c 'exec queuectl work --timeout=1000'", None),
        ("queuectl monitor", None),
        ("php artisan queue:work --timeout=1000", None),
    ],
)
def test_the_workers_own_options_count(slow: Site, examine: Examine, command: str, status: str | None) -> None:
    """A time limit for jobs that declare none, a grace that bounds them all; what is no worker is left alone."""
    supervise(slow, command=command, patience="950")
    if status is None:
        assert examine("supervisor").of("supervisor")["detail"].startswith("No file of Supervisor's")
    else:
        assert examine("supervisor").status("supervisor") == status


def test_a_job_without_a_time_limit_is_warned_of(slow: Site, examine: Examine) -> None:
    """No patience is long enough, unless a grace ends it."""
    with (slow.root / "shop.py").open("a") as file:
        file.write(SLOW.replace("Slow", "Endless").replace("900", "0"))
    supervise(slow, patience="3600")
    found = examine("supervisor").of("supervisor")
    assert (found["status"], found["detail"].partition(".")[0]) == ("warning", "No time limit: Endless")
    supervise(slow, command="queuectl work --grace=60", patience="100")
    assert examine("supervisor").status("supervisor") == "ok"


def test_another_file_can_be_named(slow: Site, examine: Examine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It is looked at as well; one that cannot be read is warned of."""
    other = tmp_path_factory.mktemp("etc") / "w.conf"
    other.write_text(supervise(slow, directory=str(slow.root)).read_text())
    supervise(slow, patience="3600")
    examined = examine("supervisor", options=("--supervisor", str(other)))
    assert examined.status("supervisor", f"{other} [program:w]") == "failed"
    assert len(examined.checks) == 2
    examined = examine("supervisor", options=("--supervisor", str(other.with_name("none"))))
    assert examined.status("supervisor", str(other.with_name("none"))) == "warning"


def test_the_workers_of_other_projects_are_not_ours(slow: Site, examine: Examine) -> None:
    """Their jobs take as long as they take."""
    supervise(slow, directory="/srv/another")
    assert examine("supervisor").of("supervisor")["detail"].startswith("No file of Supervisor's")


def test_a_file_that_is_no_ini_is_warned_of(slow: Site, examine: Examine) -> None:
    """With its name and line."""
    file = slow.root / "conf/supervisor/w.conf"
    file.write_text("command=queuectl work\n")
    assert "no section headers" in examine("supervisor").of("supervisor", str(file))["detail"]
