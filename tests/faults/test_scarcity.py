"""A machine that has no more of something: descriptors, room on a disk, readers, a writable /tmp, memory."""

from __future__ import annotations

import subprocess
import sys
from platform import machine

import pytest

from tests.acceptance.project import PATIENCE, until
from tests.faults.rig.arena import REPOSITORY, Arena, job
from tests.faults.rig.records import records

WORK = f"{sys.executable} -m queuectl work --stop-when-empty"
KEYS = [f"k{number}" for number in range(20)]
READ_ONLY_TMP = (
    'mount --bind /tmp /tmp && mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro /tmp && '
    'cd "$PWD" && ! touch /tmp/x'
)
CONTAINER = ["unshare", "--map-root-user", "--mount"]


def shell(arena: Arena, script: str, *container: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the project's folder, as an operator would."""
    return subprocess.run(
        [*container, "bash", "-o", "pipefail", "-c", script],
        cwd=arena.project.folder,
        env=arena.project.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.fault("F17")
def test_twenty_descriptors_are_enough(arena: Arena) -> None:
    """For a worker with one child on any store."""
    arena.put(*map(job, KEYS))
    assert shell(arena, f"ulimit -n 20; exec {WORK}").returncode == 0
    arena.check()
    assert arena.done() == set(KEYS)


@pytest.mark.fault("F17")
def test_a_dozen_descriptors_are_said_to_be_too_few(arena: Arena) -> None:
    """At once, with 1 and without a traceback; the jobs have not been touched."""
    arena.put(*map(job, KEYS))
    run = shell(arena, f"ulimit -n 12; exec {WORK}")
    assert run.returncode == 1
    assert "Not one child can be started: [Errno 24] Too many open files. `ulimit -n` is too small." in run.stderr
    assert "Traceback" not in run.stderr
    assert arena.places() == {key: ["ready"] for key in KEYS}


@pytest.mark.fault("F17")
@pytest.mark.parametrize("store", ["sqlite"])
@pytest.mark.skipif(machine() != "x86_64", reason="the filter knows the system calls of x86-64 only")
def test_a_lack_of_processes_is_waited_out(arena: Arena) -> None:
    """One line says so, nothing is reserved that nobody could run, and a stop is heard."""
    arena.put(*map(job, KEYS))
    log = arena.project.folder / "log"
    command = [sys.executable, "-m", "tests.faults.rig.without_forks", sys.executable, "-m", "queuectl", "work"]
    environment = {**arena.project.environment, "PYTHONPATH": str(REPOSITORY)}
    with (
        log.open("w") as output,
        subprocess.Popen(command, cwd=arena.project.folder, env=environment, stdout=output, stderr=output) as process,
    ):
        until(lambda: "Resource temporarily unavailable" in log.read_text(), "the lack to be noticed")
        until(lambda: arena.project.monitor("default")[0]["workers"], "the worker's sign of life")
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert log.read_text().count("cannot be started") == 1
    assert arena.places() == {key: ["ready"] for key in KEYS}


@pytest.mark.fault("F17")
@pytest.mark.parametrize("store", ["sqlite"])
@pytest.mark.parametrize("output", ["| head -1", "| true", "> /dev/full", "2> /dev/full", "> /dev/full 2>&1"])
def test_output_that_goes_nowhere_costs_no_job(arena: Arena, output: str) -> None:
    """Its reader has gone, or its disk is full: jobs are done and failed as ever, and nobody is told of a traceback."""
    arena.put(*map(job, KEYS), job("f", "Failing"))
    run = shell(arena, f"{WORK} -v {output}")
    assert (run.returncode, "Traceback" in run.stderr) == (0, False)
    arena.check()
    assert (arena.done(), records(arena).keys()) == (set(KEYS), {"f"})


@pytest.mark.fault("F17")
@pytest.mark.parametrize("store", ["sqlite"])
def test_a_read_only_tmp_is_not_needed(arena: Arena) -> None:
    """Nor is any other folder but the project's own."""
    if shell(arena, READ_ONLY_TMP, *CONTAINER).returncode:
        pytest.skip("a folder cannot be made read-only here")
    arena.put(*map(job, KEYS))
    assert shell(arena, f"{READ_ONLY_TMP} && exec {WORK}", *CONTAINER).returncode == 0
    arena.check()
    assert arena.done() == set(KEYS)


@pytest.mark.fault("F10")
@pytest.mark.parametrize("store", ["sqlite"])
def test_a_job_that_asks_for_more_memory_than_there_is_only_fails(arena: Arena) -> None:
    """Its child lives and does the next one."""
    arena.put(job("k0"), job("greedy", "Greedy", megabytes=4096), job("k1"))
    assert shell(arena, f"ulimit -v 1000000; exec {WORK}").returncode == 0
    arena.check()
    assert records(arena)["greedy"].error == "builtins.MemoryError"
    assert len({event["pid"] for event in arena.project.events()}) == 1
