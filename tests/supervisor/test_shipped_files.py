"""The files that come with queuectl, and the ones that it writes, say the same."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from queuectl.deployment import supervisor, systemd
from queuectl.deployment.service import Service
from tests.supervisor.conftest import SHIPPED, UNIT, Read
from tests.supervisor.systemd import complaints

WORK = ("work", "--queue=notifications-high,notifications", "--sleep=3", "--tries=3", "--max-time=3600")


def generated(program: str) -> Service:
    return Service(
        name="queuectl-worker",
        command=(program, *WORK),
        directory="/srv/app",
        stop_wait=3600,
        processes=2,
        user="www-data",
        log_file="/dev/null",
    )


def settings(text: str) -> dict[str, str]:
    """Keys and values, without comments."""
    return dict(line.split("=", 1) for line in text.splitlines() if re.match(r"\w+=", line))


def test_the_section_is_the_one_that_laravels_users_know() -> None:
    """Key by key."""
    found = settings(SHIPPED.read_text())
    expected = {
        "process_name": "%(program_name)s_%(process_num)02d",
        "command": " ".join(("queuectl", *WORK)),
        "autostart": "true",
        "autorestart": "true",
        "stopasgroup": "true",
        "killasgroup": "true",
        "numprocs": "2",
        "redirect_stderr": "true",
        "stopwaitsecs": "3600",
    }
    assert found.items() >= expected.items()
    assert found["stdout_logfile"].endswith("/storage/logs/queuectl-worker.log")


def test_supervisor_reads_two_processes_of_the_project(read: Read, tmp_path: Path) -> None:
    """`%(here)s` is the folder of the included file: from there the project, its programs and its log are found."""
    (tmp_path / "storage/logs").mkdir(parents=True)
    here = tmp_path / "conf/supervisor"
    here.mkdir(parents=True)
    text = SHIPPED.read_text().replace("%(here)s", str(here))  # as Supervisor does, for files that it includes
    first, second = read(text)
    assert (first["name"], second["name"]) == ("queuectl-worker_00", "queuectl-worker_01")
    assert Path(first["directory"]).resolve() == tmp_path.resolve()
    assert Path(first["stdout_logfile"]).resolve().parent == (tmp_path / "storage/logs").resolve()
    assert first["environment"]["PATH"].startswith(f"{here}/../../.venv/bin:")


def test_every_key_is_explained() -> None:
    """By a comment above it or above its neighbours."""
    for file, mark in ((SHIPPED, ";"), (UNIT, "#")):
        blocks = [block for block in file.read_text().split("\n\n") if re.search(r"^\w+=", block, re.MULTILINE)]
        plain = [block for block in blocks if not re.match(r"(\[\w+\]\n)?(" + mark + "|Description|WantedBy)", block)]
        assert plain == []


def test_the_command_writes_the_same_section(read: Read, tmp_path: Path) -> None:
    """But for the paths, the user, and how long a stop may take."""
    here = tmp_path / "conf/supervisor"
    (tmp_path / "storage/logs").mkdir(parents=True)
    here.mkdir(parents=True)
    shipped, written = (
        read(text.replace("%(here)s", str(here)).replace("user=www-data", ""))[0]
        for text in (SHIPPED.read_text(), supervisor.render(generated("/srv/app/.venv/bin/queuectl")))
    )
    for own in ("directory", "stdout_logfile", "environment", "stdout_logfile_maxbytes"):
        del shipped[own], written[own]
    written["argv"][0] = "queuectl"
    assert shipped == written


def test_the_command_writes_the_same_unit() -> None:
    """But for what a project decides."""
    shipped = settings(UNIT.read_text())
    written = settings(systemd.render(replace(generated("/srv/app/.venv/bin/queuectl"), log_file="")))
    assert {**shipped, "Description": ""} == {**written, "Description": ""}


@pytest.mark.usefixtures("analyze")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """With the project where it is."""
    program = tmp_path / "app/.venv/bin/queuectl"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/srv/app", str(tmp_path / "app")))
    assert complaints(unit) == ""
