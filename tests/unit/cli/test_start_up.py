"""What a command imports is what it costs, on every call from a cron job or a prompt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Site

FOREVER_ABSENT = (
    "redis",
    "psycopg",
    "pymysql",
    "PIL",
    "shop",
    "dotenv",
    "queuectl.worker.worker",
    "queuectl.jobs.definition",
)
PROGRAM = """\
import sys
from queuectl.cli import main
code = main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


def modules_after(root: Path, *words: str) -> set[str]:
    """The modules that a process has loaded when the command is done."""
    run = subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=root, capture_output=True, text=True, check=True)
    return set(run.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["monitor"],
        ["failed", "--json"],
        ["config"],
        ["pause", "mail"],
        ["health", "--ready"],
        ["top"],
        ["explain", "--queue=mail"],
    ],
)
def test_reading_commands_import_neither_servers_nor_the_application(ready: Site, words: list[str]) -> None:
    """On SQLite: no other driver, no schema library, no table drawing, no application module."""
    found = modules_after(ready.root, *words)
    assert found.isdisjoint({*FOREVER_ABSENT, "pydantic", "rich", "importlib.metadata"})


def test_a_worker_imports_what_it_needs(ready: Site) -> None:
    """Its parent runs no job: what checks arguments and what runs coroutines stays with the children."""
    found = modules_after(ready.root, "work", "--stop-when-empty")
    absent = {"redis", "psycopg", "pymysql", "PIL", "shop", "pydantic", "pydantic_core", "asyncio", "rich", "ssl"}
    absent |= {"importlib.metadata", "queuectl.jobs.registry", "queuectl.jobs.definition", "queuectl.runner.running"}
    assert found.isdisjoint(absent)


def test_the_version_needs_nothing(site: Site) -> None:
    """Not even the parser."""
    assert modules_after(site.root, "--version").isdisjoint({*FOREVER_ABSENT, "typer", "sqlite3", "tomli"})


@pytest.mark.fault("X17")
def test_planted_modules_are_not_imported(ready: Site) -> None:
    """A json.py or redis.py in the working directory is not the one that is meant."""
    for name in ("json", "redis", "sqlite3", "tomli", "typer"):
        (ready.root / f"{name}.py").write_text("raise SystemExit('planted')")
    script = Path(sys.executable).with_name("queuectl")
    for words in (["monitor"], ["failed"], ["work", "--stop-when-empty"]):
        run = subprocess.run([script, *words], cwd=ready.root, capture_output=True, text=True, check=False)
        assert (run.returncode, "planted" in run.stderr) == (0, False), run.stderr


def test_a_closed_pipe_is_no_error(ready: Site) -> None:
    """`queuectl failed --ids | head -1`: quiet, and the exit code is the command's own."""
    ready.fail(*(f"{number:08x}-0000-4000-8000-000000000000" for number in range(3)))
    words = [Path(sys.executable).with_name("queuectl"), "failed", "--ids", "--max=0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ready.root, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 4


@pytest.mark.parametrize("word", ["--version", "--help", "failed"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "| true"])
def test_a_closed_stream_is_no_error(ready: Site, word: str, closed: str) -> None:
    """Whichever it is, and whoever closed it."""
    script = Path(sys.executable).with_name("queuectl")
    words = ["bash", "-o", "pipefail", "-c", f"{script} {word} {closed}"]
    run = subprocess.run(words, cwd=ready.root, capture_output=True, text=True, check=False)
    assert (run.returncode, "Traceback" in run.stderr, "error" in run.stderr) == (0, False, False), run.stderr


def test_a_full_disk_is_one_line(ready: Site) -> None:
    """What was asked for could not be said: 1."""
    script = Path(sys.executable).with_name("queuectl")
    words = ["sh", "-c", f"{script} config > /dev/full"]
    run = subprocess.run(words, cwd=ready.root, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (1, "error: The output cannot be written: No space left on device.\n")


def test_a_full_disk_under_stderr_leaves_the_exit_code(ready: Site) -> None:
    """Supervisors go by it: a mistake in the line is no crash."""
    script = Path(sys.executable).with_name("queuectl")
    words = ["sh", "-c", f"{script} work no-such-connection 2> /dev/full"]
    run = subprocess.run(words, cwd=ready.root, capture_output=True, text=True, check=False)
    assert run.returncode == 2
