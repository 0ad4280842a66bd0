"""Whatever the umask: what holds payloads is for its owner only, and nothing of ours follows a planted link."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

CONFIGURATION = """\
default = "database"
jobs = ["shop"]

[connections.database]
driver = "database"

[log]
file = "logs/queuectl.log"
level = "debug"
"""
SHOP = """\
from queuectl import Job


class Broken(Job):
    def handle(self) -> None:
        raise ValueError("broken")
"""
PROGRAM = """
import os
import sys
os.umask(int(sys.argv[1], 8))
from queuectl.cli import main

codes = [main(line.split()) for line in ("migrate", "dispatch Broken", "work --stop-when-empty", "failed")]
sys.exit(any(codes))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/queue.toml").write_text(CONFIGURATION)
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def run(folder: Path, umask: str = "022") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, umask],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith(("QUEUE", "REDIS_URL"))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.fault("X16")
@pytest.mark.parametrize("umask", ["000", "022"])
def test_what_holds_payloads_is_private_whatever_the_umask(shop: Path, umask: str) -> None:
    """Database, its log, its gate, and the log of what went wrong; the folder of the database is made private, too."""
    done = run(shop, umask)
    assert done.returncode == 0, done.stderr
    made = {
        path: stat.S_IMODE(path.stat().st_mode) for folder in ("storage", "logs") for path in (shop / folder).glob("*")
    }
    assert {path.name for path in made} >= {"queue.sqlite", "queue.sqlite.lock"}
    assert {path.name: oct(mode) for path, mode in made.items() if mode & 0o077} == {}
    assert stat.S_IMODE((shop / "storage").stat().st_mode) & 0o077 == 0


@pytest.mark.fault("X16")
@pytest.mark.parametrize("planted", ["storage/queue.sqlite", "storage/queue.sqlite.lock"])
@pytest.mark.parametrize("there", [True, False], ids=["file", "dangling"])
def test_a_planted_link_is_refused(shop: Path, planted: str, *, there: bool) -> None:
    """What it leads to is neither made nor changed, and the error names the link."""
    victim = shop / "victim"
    if there:
        victim.write_text("mine")
    link = shop / planted
    link.parent.mkdir(mode=0o700)
    link.symlink_to(victim)
    done = run(shop)
    assert done.returncode != 0
    assert link.name in done.stderr
    assert "should not have happened" not in done.stderr
    assert (victim.read_text() if there else victim.exists()) == ("mine" if there else False)
