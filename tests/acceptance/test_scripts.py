"""The scripts of docs/cli.md, run by a real shell just as they stand there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import PATIENCE, Project, until

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
SCRIPTS = PAGE.partition("\n## Scripts\n")[2].partition("```bash\n")[2].partition("```")[0].splitlines()
PAGER = "#!/bin/sh\ntouch paged\n"
OLD_FAILURE = """
import time
from queuectl.app import App
from queuectl.jobs.outcome import FailedRecord, Problem
from queuectl.jobs.payload import encode, new_uuid
uuid = new_uuid()
payload = encode(job="Ledger", arguments='{"key": "old"}', uuid=uuid)
driver = App.load().driver()
driver.failed.add([FailedRecord(uuid, driver.name, "default", payload, "Ledger", 1, Problem("ValueError", "old", ""),
                                time.time() - 49 * 3600)])
"""


def script(beginning: str) -> str:
    """The one line that begins so."""
    [line] = [line for line in SCRIPTS if line.startswith(beginning)]
    return line


class Desk:
    """An operator's shell, in the folder of an application."""

    def __init__(self, project: Project) -> None:
        self.project = project
        pager = project.folder / "bin" / "page_someone"
        pager.parent.mkdir()
        pager.write_text(PAGER)
        pager.chmod(0o755)
        path = os.pathsep.join((str(pager.parent), str(Path(sys.executable).parent), os.environ["PATH"]))
        self._environment = {**project.environment, "PATH": path}

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.project.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,
            check=False,
        )

    def does(self, line: str, *, code: int = 0) -> str:
        """What it prints; *code* is the exit code it must have."""
        done = self.run(line)
        assert done.returncode == code, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def keeps(self, line: str) -> Iterator[subprocess.Popen[bytes]]:
        """Have it run in the background, as a supervisor does."""
        with (self.project.folder / "supervised.log").open("wb") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {line}"],
                cwd=self.project.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @property
    def failed_jobs(self) -> list[str]:
        return sorted(job["job"] for job in self.project.failed())

    @property
    def was_paged(self) -> bool:
        return (self.project.folder / "paged").exists()


@pytest.fixture(params=["sqlite", "postgres", "valkey"])
def desk(request: pytest.FixtureRequest, make_project: MakeProject) -> Desk:
    """On each of three stores."""
    return Desk(make_project(request.param))


def test_a_supervised_worker_serves_both_queues_until_it_is_told_to_stop(desk: Desk) -> None:
    """Supervisor's line: the first queue first, and 0 at a TERM."""
    desk.project.dispatch('Ledger.on_queue("notifications").dispatch(key="low")')
    desk.project.dispatch('Ledger.on_queue("notifications-high").dispatch(key="high")')
    with desk.keeps(script("queuectl work --queue=notifications-high,notifications")) as worker:
        until(lambda: len(desk.project.done()) == 2, "both jobs")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    assert list(desk.project.done()) == ["high", "low"]


def test_who_waits_for_a_job_learns_its_end(desk: Desk) -> None:
    """Done: 0. Failed: 1, with the reason. No end in time: 3."""
    wait = script("queuectl dispatch SendNotificationJob")
    desk.does(wait.replace("--timeout 60", "--timeout 0.1"), code=3)
    desk.project.work()
    assert desk.does(wait).strip()
    assert desk.project.rows("SELECT user_id, title FROM notifications") == [(1, "Hi"), (1, "Hi")]
    done = desk.run('queuectl dispatch Failing \'{"key":"f"}\' --wait --timeout 60')
    assert (done.returncode, "f cannot work" in done.stderr) == (1, True)


def test_a_queue_is_drained_and_looked_at(desk: Desk) -> None:
    """In CI: exit 0 whatever became of the jobs, and a line of JSON for each thing that happened."""
    desk.project.dispatch('Ledger.dispatch(key="k"); Failing.dispatch(key="f")')
    assert desk.does(script("queuectl work --stop-when-empty")) == ""
    lines = [json.loads(line) for line in (desk.project.folder / "run.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines] == ["starting", "success", "starting", "failed"]


def test_somebody_is_paged(desk: Desk) -> None:
    """Not below the threshold, and as soon as it is reached; what is printed is JSON both times."""
    line = script("queuectl monitor")
    assert [queue["size"] for queue in json.loads(desk.does(line))] == [0, 0]
    assert not desk.was_paged
    desk.project.dispatch('Ledger.on_queue("notifications").dispatch(key=f"k{n}")', times=100)
    assert [queue["status"] for queue in json.loads(desk.does(line))] == ["OK", "ALERT"]
    assert desk.was_paged


def test_a_gate_stays_shut_until_all_is_repaired(desk: Desk) -> None:
    """Exit 1 with the failures in groups; after the repair `retry all`, and it is open."""
    gate = script("queuectl failed --since 10m --max 0")
    desk.project.dispatch('Failing.dispatch(key=f"k{n}")', times=2)
    desk.project.drain()
    told = desk.does(gate, code=1)
    assert "Failing" in told
    assert "cannot work" in told
    (desk.project.folder / "repaired").touch()
    desk.does(script("queuectl retry all"))
    desk.does(gate)
    desk.project.drain()
    assert desk.project.done() == {"k0": 1, "k1": 1}
    assert desk.does(script("queuectl retry all")) == ""


def test_only_what_was_meant_is_deleted(desk: Desk) -> None:
    """The failures of one job by a pipe, then those that are old; the others stay."""
    desk.project.dispatch(
        'from queuectl.jobs.process_image import ProcessImageJob as P; Failing.dispatch(key="f"); '
        'P.dispatch(path="no-such.jpg"); P.dispatch(path="nor-this.jpg")'
    )
    desk.project.drain()
    desk.project.python(OLD_FAILURE)
    assert desk.failed_jobs == ["Failing", "Ledger", "ProcessImageJob", "ProcessImageJob"]
    desk.does(script("queuectl failed --job ProcessImageJob --ids"))
    assert desk.failed_jobs == ["Failing", "Ledger"]
    desk.does(script("queuectl flush"))
    assert desk.failed_jobs == ["Failing"]


def test_every_script_is_tried() -> None:
    """None is on the page that no test runs."""
    tried = re.findall(r'script\("(.+?)"\)', Path(__file__).read_text())
    assert sorted(map(script, set(tried))) == sorted(SCRIPTS)
