"""An application that cannot be imported: what, where and why; and pictures that cannot be made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from queuectl.doctor import jobs
from tests.acceptance.project import until
from tests.unit.cli.conftest import Site
from tests.unit.doctor.conftest import CANARY, Examine


def test_a_module_that_does_not_import_fails(ready: Site, examine: Examine) -> None:
    """With the line where it happened, even deep inside the application."""
    (ready.root / "shop.py").write_text("import orders\n")
    (ready.root / "orders.py").write_text(f"\n\nraise RuntimeError('no key: password={CANARY}')\n")
    found = examine("jobs").of("jobs")
    place = f"{ready.root}/orders.py:3"
    assert found["status"] == "failed"
    assert found["detail"].endswith(f"RuntimeError: no key: password=*** ({place})")
    assert "The jobs module 'shop' cannot be imported" in found["detail"]
    assert found["fix"] == f"queuectl jobs  # once {place} is corrected: imports them again"
    assert "shop.py" in found["facts"]["traceback"]


def test_a_module_that_is_not_there_points_at_the_configuration(site: Site, examine: Examine) -> None:
    """The line that names it."""
    site.write('default = "sync"\njobs = ["shpo"]\n')
    found = examine("jobs").of("jobs")
    assert "No module named 'shpo'" in found["detail"]
    assert "once conf/queue.toml:2 is corrected" in found["fix"]


def test_a_line_that_is_no_python_is_found(ready: Site, examine: Examine) -> None:
    """File and line."""
    (ready.root / "shop.py").write_text("x = 1\nclass Mail(Job)\n")
    assert examine("jobs").of("jobs")["detail"].endswith(f"({ready.root}/shop.py:2)")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "was killed by signal 9"),
        ("import ctypes\nctypes.string_at(0)", "was killed by signal 11"),
        ("import os\nprint('bye', flush=True)\nos._exit(3)", "ended with 3"),
    ],
)
def test_an_import_that_kills_its_process_is_told(ready: Site, examine: Examine, source: str, words: str) -> None:
    """With its last words; this process lives on."""
    (ready.root / "shop.py").write_text(source)
    found = examine("jobs", "log")
    assert words in found.of("jobs")["detail"]
    assert found.status("log") == "ok"


def test_an_import_without_an_end_is_ended(ready: Site, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With everything that it has started."""
    monkeypatch.setattr(jobs, "PATIENCE", 2.0)
    (ready.root / "shop.py").write_text(
        "import subprocess, time\nprocess = subprocess.Popen(['sleep', '60'])\n"
        "open('pid', 'w').write(str(process.pid))\ntime.sleep(60)\n"
    )
    assert "takes longer than 2 s" in examine("jobs").of("jobs")["detail"]
    pid = int((ready.root / "pid").read_text())
    until(lambda: _is_gone(pid), "the process that imports being gone")


def _is_gone(pid: int) -> bool:
    """Or a zombie that nobody has buried yet."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_jobs_that_can_be_dispatched_are_counted(ready: Site, examine: Examine) -> None:
    """With the longest time that one may take; what the application prints is not taken for an answer."""
    with (ready.root / "shop.py").open("a") as file:
        file.write("\n\nclass Slow(Mail):\n    timeout = 900\n\n    def handle(self) -> None: ...\n\n\nprint('{}')\n")
    assert examine("jobs").of("jobs")["detail"] == (
        "4 jobs can be dispatched, from shop; the longest may take 900 s (Slow)."
    )


# Pictures

BROKEN = {
    "no library": ("PIL/__init__.py", "raise ImportError('libjpeg.so.62: cannot open shared object file')"),
    "no WEBP": ("sitecustomize.py", "import sys\nsys.modules['PIL._webp'] = None"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_library_that_does_not_work_fails(site: Site, kind: str) -> None:
    """With the command that installs it anew."""
    name, source = BROKEN[kind]
    file = site.root / "broken" / name
    file.parent.mkdir(parents=True)
    file.write_text(source)
    environment = {**os.environ, "PYTHONPATH": str(site.root / "broken")}
    command = [sys.executable, "-m", "queuectl", "doctor", "-q", "--only", "pictures"]
    run = subprocess.run(command, cwd=site.root, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 9
    assert "fix: pip install --force-reinstall --no-cache-dir Pillow" in run.stdout
    assert ("libjpeg.so.62" in run.stdout) is (kind == "no library")
    assert ("pictures [WEBP]" in run.stdout) is (kind == "no WEBP")


def test_a_library_that_works_is_named(site: Site, examine: Examine) -> None:
    """With its version: a picture of each format was made."""
    assert examine("pictures").of("pictures")["detail"].endswith("reads and writes JPEG, PNG and WEBP.")
