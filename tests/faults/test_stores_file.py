"""Accidents of a file: killed in the middle of writing, moved away, its log deleted, its folder read-only."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import LEDGER, PRODUCER, Arena
from tests.faults.rig.disks import small_disk

HOPELESS = 78


@pytest.mark.fault("F30")
@pytest.mark.parametrize("times", [8, pytest.param(50, marks=pytest.mark.long)])
def test_writers_killed_in_the_middle(times: int, make_arena: MakeArena) -> None:
    """The file is whole each time, and every push that returned is in it."""
    arena, lots = make_arena("sqlite"), random.Random(30)
    for number in range(times):
        push_and_die(arena, f"r{number}.", after=lots.randrange(5, 25))
        with closing(sqlite3.connect(arena.project.folder / "storage/queue.sqlite")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    arena.project.drain()
    arena.check()
    assert arena.done() >= arena.acknowledged


@pytest.mark.fault("F30")
@pytest.mark.parametrize("suffixes", [["", "-wal", "-shm"], ["-wal"]], ids=["the file", "its log"])
def test_a_file_that_vanishes_under_a_worker(suffixes: list[str], make_project: MakeProject) -> None:
    """What would be written from now on, nobody else would ever see: the worker says so and ends."""
    project = make_project("sqlite")
    worker = project.work()
    until(lambda: project.monitor("default")[0]["workers"], "the worker's sign of life")
    for suffix in suffixes:
        file = project.folder / f"storage/queue.sqlite{suffix}"
        file.rename(file.with_name(f"moved{suffix}"))
    assert worker.ends() == HOPELESS
    assert any(words in worker.output() for words in ("while in use", "There is no database"))
    assert "Traceback" not in worker.output()


@pytest.mark.fault("F30")
def test_a_folder_that_cannot_be_written(make_project: MakeProject, tmp_path: Path) -> None:
    """No waiting helps: it is said, and the worker ends."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, 8):
        project = make_project("sqlite", database_url=f"sqlite:///{disk}/queue.sqlite")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for words in (("work",), ("dispatch", "Ledger", '{"key": "k"}')):
            told = project.cli(*words, code=HOPELESS).stderr
            assert "Traceback" not in told
            assert "unable to open database file" in told


def push_and_die(arena: Arena, prefix: str, *, after: int) -> None:
    """A producer that is killed as soon as so many of its pushes have returned."""
    keys = [f"{prefix}{number}" for number in range(1000)]
    arena.attempted |= {*keys}
    with start_producer(arena.project) as producer:
        assert producer.stdin is not None
        assert producer.stdout is not None
        producer.stdin.write("".join(f"{key}\n" for key in keys))
        producer.stdin.flush()
        told = [producer.stdout.readline() for _ in range(after)]
        producer.send_signal(signal.SIGKILL)
        told += producer.stdout.readlines()
    arena.acknowledged |= {line[1:].strip() for line in told if line.startswith("+") and line.endswith("\n")}


def start_producer(project: Project) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRODUCER.format(expression=LEDGER)],
        cwd=project.folder,
        env=project.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
