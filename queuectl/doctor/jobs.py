"""Can the application's jobs be imported? Tried in a process of its own: this one must not break with them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from queuectl.doctor.finding import Finding, failed, well
from queuectl.doctor.words import count

if TYPE_CHECKING:
    from queuectl.config import Config
    from queuectl.doctor.patient import Patient

COMMAND = (sys.executable, "-P", "-m", "queuectl.doctor.importing")
PATIENCE = 30.0
"""Seconds that an import may take."""
FRAME = re.compile(r'File "([^"\n]+)", line (\d+)')
LAST_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What a process that imported the application has told."""

    timeouts: Mapping[str, int | None] = field(default_factory=dict)
    """Of each job by name, in seconds; None where it is left to the worker's `--timeout`; 0: no limit."""
    error: str = ""
    """Why it could not, with the end of the traceback."""


def imported(config: Config) -> Imported:
    """Import the application's jobs somewhere else, and return what was found."""
    environment = {**os.environ, **({"QUEUECTL_CONFIG": str(config.path)} if config.path else {})}
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as noise:
        process = subprocess.Popen(
            COMMAND, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=noise, start_new_session=True
        )
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return Imported(error=f"The import takes longer than {PATIENCE:.0f} s. What it said:\n{_end_of(noise)}")
        return _read(_whole(said), status, noise)


def _read(said: bytes, status: int, noise: IO[bytes]) -> Imported:
    try:
        found: Any = json.loads(said)
        return Imported(**found)
    except (ValueError, TypeError):
        how = f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
        return Imported(error=f"The process that imported it {how}. What it said:\n{_end_of(noise)}")


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _end_of(file: IO[bytes]) -> str:
    return _whole(file).decode(errors="replace")[-LAST_WORDS:].strip() or "nothing"


def jobs(patient: Patient) -> Iterator[Finding]:
    """Every module that `jobs` names, and what is installed."""
    found, config = patient.jobs, patient.config
    if found.error:
        yield _broken(found.error, config)
        return
    limited = {name: timeout for name, timeout in found.timeouts.items() if timeout}
    longest = max(limited, key=lambda name: limited[name] or 0, default="")
    told = f"; the longest may take {limited[longest]} s ({longest})" if longest else ""
    modules = f"from {', '.join(config.jobs)}" if config.jobs else "and no module is named in `jobs`"
    yield well(f"{count(len(found.timeouts), 'job')} can be dispatched, {modules}{told}.")


def _broken(error: str, config: Config) -> Finding:
    """Where it happened is the innermost line of the application's own, or the line that names its modules."""
    first, _, rest = error.partition("\n")
    frames = FRAME.findall(rest)
    place = ":".join(frames[-1]) if frames else config.origins["jobs"].source
    where = f" ({place})" if frames else ""
    fix = f"queuectl jobs  # once {place} is corrected: imports them again"
    return failed(f"{first}{where}", fix, facts={"traceback": rest} if rest else {})
