"""The environments of the peers: one each, because their requirements contradict each other."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from speed.places import MeasureFailed

BENCHMARKS = Path(__file__).parents[2]
LIST = BENCHMARKS / "peers.txt"
FOLDER = BENCHMARKS / ".peers"


def requirements() -> dict[str, list[str]]:
    """What `peers.txt` pins, by the environment's name."""
    lines = (line.partition("#")[0].split() for line in LIST.read_text().splitlines())
    return {words[0].rstrip(":"): words[1:] for words in lines if words}


def ready(name: str, say: Callable[[str], None]) -> Path:
    """The interpreter of an environment that is made and filled if it is not there."""
    wanted = requirements()[name]
    folder = FOLDER / name
    python, stamp = folder / "bin/python", folder / "installed"
    if not (stamp.exists() and stamp.read_text().split() == wanted):
        say(f"installing {' '.join(wanted)} …")
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder])
        _run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *wanted])
        stamp.write_text(" ".join(wanted))
    return python


def _run(command: list[str | Path]) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasureFailed(_reason(done.stderr, str(command[-1])))


def _reason(said: str, wanted: str) -> str:
    """pip lists every version that it does not take before it says that none is left."""
    errors = [line for line in said.splitlines() if line.startswith("ERROR")]
    needs = re.findall(r"Requires-Python ([^;\s]+)", said)
    python = f" (it wants Python {needs[-1]}, this is {platform.python_version()})" if needs else ""
    return f"{(errors or said.splitlines() or [wanted])[-1].removeprefix('ERROR: ')[:200]}{python}"
