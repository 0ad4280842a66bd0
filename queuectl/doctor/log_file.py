"""Where is the log, and can it be written?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from queuectl.doctor.finding import Finding, failed, warning, well
from queuectl.doctor.patient import Patient


def log_file(patient: Patient) -> Iterator[Finding]:
    """Nothing is made for it: a file that root left here would be closed to the workers."""
    path = patient.config.log_file
    if path is None:
        yield well("No log file is configured: workers write to their stderr, which Supervisor or systemd keeps.")
    elif path.exists():
        yield from _existing(path)
    else:
        yield _to_be_made(path)


def _existing(path: Path) -> Iterator[Finding]:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        yield failed(f"{path} cannot be written: {error.strerror}.", f"{_look(path)}: chown, chmod u+rw")
        return
    yield well(f"{path} can be written.")
    if stat.S_ISREG(path.stat().st_mode) and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield warning("Everybody can read or change the log.", f"chmod o-rwx {quote(str(path))}", about=str(path))


def _to_be_made(path: Path) -> Finding:
    """By the first who writes."""
    folder = next(parent for parent in path.parents if parent.exists())
    if not folder.is_dir():
        return failed(f"{path} cannot be made: {folder} is no folder.", "file = …  # under [log] in conf/queue.toml")
    if not os.access(folder, os.W_OK | os.X_OK):
        return failed(f"{path} cannot be made: {folder} cannot be written.", f"{_look(folder)}: chown, chmod u+rwx")
    return well(f"{path} is not there yet; the first record makes it.")


def _look(path: Path) -> str:
    return f"ls -ld {quote(str(path))}  # it belongs to whoever runs the workers"
