"""A project with a virtual environment, and a Supervisor that includes its file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.project import Project
from tests.supervisor.supervisord import Supervisord, bare_environment
from tests.supervisor.systemd import ANALYZE

Described = list[dict[str, Any]]
Read = Callable[[str], Described]
REPOSITORY = Path(__file__).parents[2]
SHIPPED = REPOSITORY / "conf" / "supervisor" / "queuectl-worker.conf"
UNIT = REPOSITORY / "conf" / "systemd" / "queuectl-worker@.service"


class Site(Project):
    """A project as it is deployed: `.venv`, `.env`, and the folder of the logs."""

    def __init__(self, folder: Path, connection: str = "database", **settings: Any) -> None:
        super().__init__(folder, connection, **settings)
        (folder / "conf/supervisor").mkdir()
        (folder / "storage/logs").mkdir()
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / ".env").write_text(f"QUEUE_CONNECTION={connection}\n")
        (folder / ".env").chmod(0o600)
        self.file = folder / "conf/supervisor/queuectl-worker.conf"
        self.worker_log = folder / "storage/logs/queuectl-worker.log"

    def ship(self) -> None:
        """Put the file that comes with queuectl in its place, byte by byte."""
        shutil.copyfile(SHIPPED, self.file)

    def generate(self, *options: str) -> None:
        """Have the command write it."""
        self.cli("supervisor:config", *options, "--output", str(self.file), "--force")

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


MakeSite = Callable[..., Site]
Supervise = Callable[[Site], Supervisord]


@pytest.fixture
def make_site(tmp_path: Path) -> MakeSite:
    """Build a project; its tables are made."""

    def make(**settings: Any) -> Site:
        site = Site(tmp_path / "app", **settings)
        site.cli("migrate", "database")
        return site

    return make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A project on SQLite."""
    return make_site()


@pytest.fixture
def supervise() -> Iterator[Supervise]:
    """Start a Supervisor that includes a project's files."""
    started: list[Supervisord] = []

    def start(site: Site) -> Supervisord:
        included = str(site.folder / "conf/supervisor/*.conf")
        started.append(Supervisord(included, bare_environment(LEDGER=str(site.ledger))))
        return started[-1]

    yield start
    for supervisord in started:
        supervisord.close()


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """The processes that Supervisor itself finds in a file which its own includes; `ValueError` with its complaint."""
    reader = Path(__file__).with_name("read_supervisor.py")
    command = [sys.executable, reader, tmp_path_factory.mktemp("supervisor")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(text: str) -> Described:
            print(json.dumps(text), file=process.stdin, flush=True)
            answer = json.loads(process.stdout.readline())
            if isinstance(answer, str):
                raise ValueError(answer)
            return list(answer)

        yield ask
        process.stdin.close()


@pytest.fixture(scope="session")
def analyze(pytestconfig: pytest.Config) -> None:
    """Skip where systemd is not installed; fail where it has to be."""
    if ANALYZE is None:
        (pytest.fail if pytestconfig.getoption("--require-servers") else pytest.skip)("systemd is not installed")
