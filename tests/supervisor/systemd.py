"""What systemd itself makes of a unit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

MANAGER = Path("/lib/systemd/systemd")
ANALYZE = shutil.which("systemd-analyze")
NOBODY = 65534


def complaints(unit: Path) -> str:
    """What `systemd-analyze verify` finds; nothing if all is well."""
    assert ANALYZE is not None
    done = subprocess.run([ANALYZE, "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    return done.stderr or (f"exit {done.returncode}" if done.returncode else "")


def parsed(folder: Path, instance: str) -> dict[str, list[str]]:
    """The settings of a unit in *folder* as a manager prints them that only says what it would start.

    Empty where no such manager can run: it needs control groups, and must not be root.
    """
    user = NOBODY if os.geteuid() == 0 else None
    run = _own_folder(folder / "run", user)
    environment = {"XDG_RUNTIME_DIR": run, "HOME": run, "SYSTEMD_UNIT_PATH": f"{folder}:"}
    done = subprocess.run(
        [MANAGER, "--test", "--user", f"--unit={instance}"],
        env={**environment, "SYSTEMD_LOG_LEVEL": "err"},
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        capture_output=True,
        timeout=60,
        check=False,
    )
    dump = done.stdout.decode().partition(f"-> Unit {instance}:")[2].partition("-> Unit ")[0]
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^\t+([A-Za-z ]+): (.*)$", dump, re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def _own_folder(folder: Path, user: int | None) -> str:
    folder.mkdir(0o700, exist_ok=True)
    if user is not None:
        os.chown(folder, user, user)
    return str(folder)


def arguments(command_line: str) -> list[str]:
    """The manager prints an argument as it is, or in double quotes with backslashes before what is special there."""
    words = re.findall(r'"((?:\\.|[^"\\])*)"(?!\S)|(\S+)', command_line)
    return [plain or re.sub(r"\\(.)", r"\1", quoted) for quoted, plain in words]
