"""Can the disks be written, and is what is private private?"""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from urllib.parse import unquote

from queuectl.doctor.filesystem import network_kind
from queuectl.doctor.finding import Finding, failed, warning, well
from queuectl.doctor.patient import Patient

BESIDE = ("", "-wal", "-shm", ".lock")
"""What SQLite and we put beside a database."""


def disks(patient: Patient) -> Iterator[Finding]:
    """A file is really written to each of them, and taken away."""
    for name, settings in patient.config.disks.items():
        chosen = patient.config.origins[f"disks.{name}.root"].source != "default"
        yield _disk(name, Path(settings["root"]), chosen=chosen)


def _disk(name: str, root: Path, *, chosen: bool) -> Finding:
    if not root.exists() and not chosen:
        return well(f"{root} is not there; only jobs that read or write files need it (mkdir -p).", about=name)
    if not root.is_dir():
        return failed(f"{root} is not there, or is no folder.", f"mkdir -p {quote(str(root))}", about=name)
    try:
        with tempfile.NamedTemporaryFile(dir=root, prefix=".doctor-"):
            pass
    except OSError as error:
        fix = f"ls -ld {quote(str(root))}  # it belongs to whoever runs the workers: chown, chmod u+rwx"
        return failed(f"{root} cannot be written: {error.strerror}.", fix, about=name)
    return well(f"{root} can be written.", about=name)


def private(patient: Patient) -> Iterator[Finding]:
    """Databases and `.env` are nobody else's business, and a database is on a disk of this machine."""
    databases = _databases(patient)
    problems = [finding for folder in dict.fromkeys(path.parent for path in databases) for finding in _folder(folder)]
    for path in databases:
        problems += [*_modes(path), *_network(path)]
    problems += _env(patient.config.root / ".env")
    yield from problems or [well("What is private is private.")]


def _databases(patient: Patient) -> list[Path]:
    urls = {patient.config.connections[name].url for name in patient.connections}
    found = [Path(unquote(url.removeprefix("sqlite:///").partition("?")[0])) for url in sorted(urls) if _is_file(url)]
    return [path for path in found if path.exists()]


def _is_file(url: str) -> bool:
    return url.startswith("sqlite:///") and ":memory:" not in url


def _folder(folder: Path) -> Iterator[Finding]:
    mode = folder.stat().st_mode
    if not mode & stat.S_IWOTH:
        return
    fix, about = f"chmod o-w {quote(str(folder))}", str(folder)
    if mode & stat.S_ISVTX:
        yield warning("Everybody can put files beside the database.", "url = …  # in a folder of its own", about=about)
    else:
        yield failed("Everybody can replace the database in it.", fix, about=about)


def _modes(database: Path) -> Iterator[Finding]:
    for path in (database.with_name(f"{database.name}{ending}") for ending in BESIDE):
        mode = path.stat().st_mode if path.exists() else 0
        fix = f"chmod o-rwx {quote(str(path))}"
        if mode & stat.S_IWOTH:
            yield failed("Everybody can write to it, and so run jobs.", fix, about=str(path))
        elif mode & stat.S_IROTH:
            yield warning("Everybody can read it, and the jobs in it.", fix, about=str(path))


def _network(database: Path) -> Iterator[Finding]:
    if kind := network_kind(database):
        detail = f"It is on a network file system ({kind}), where SQLite's locks cannot be relied on."
        yield warning(detail, "url = sqlite:////var/lib/…/queue.sqlite  # on a local disk", about=str(database))


def _env(path: Path) -> Iterator[Finding]:
    if path.is_file() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        fix = f"chmod o-rwx {quote(str(path))}"
        yield warning("Everybody can read the passwords in it, if there are any.", fix, about=str(path))
