"""The environments of the peers: one each, because their requirements contradict each other."""

from __future__ import annotations

import os
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
PYTHON = "PEERS_PYTHON"
"""Names another interpreter, for peers that need a newer one than this."""
NEWER = tuple(f"python3.{minor}" for minor in range(12, 16))
"""Looked for on the PATH."""


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
        least = wanted[0] if wanted[0] in NEWER else ""
        _run([_interpreter(least), "-m", "venv", "--clear", "--without-pip", folder])
        _run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *wanted[bool(least) :]])
        stamp.write_text(" ".join(wanted))
    return python


def _interpreter(least: str) -> str:
    """This one, or another that is as new as *least*, if there is any."""
    found = (path for path in (sys.executable, os.environ.get(PYTHON, ""), *NEWER) if _is_as_new(path, least))
    if (interpreter := next(found, None)) is None:
        raise MeasureFailed(f"needs {least}, which is not on the PATH; {PYTHON} may say where it is")
    return interpreter


def _is_as_new(interpreter: str, least: str) -> bool:
    minor = int(least.rpartition(".")[2] or 0)
    ask = f"import sys; sys.exit(sys.version_info < (3, {minor}))"
    try:
        return subprocess.run([interpreter, "-c", ask], capture_output=True, check=False).returncode == 0
    except OSError:  # there is no such program
        return False


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
