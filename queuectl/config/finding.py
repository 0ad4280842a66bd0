"""Where the configuration is, and whether a file found there may be believed.

A configuration names modules that are imported and servers that are trusted with payloads. A file that anybody could
have planted above the working directory is therefore refused; one that was named on purpose is believed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from queuectl.errors import ConfigurationError

CONFIG_VARIABLE = "QUEUECTL_CONFIG"
RELATIVE = Path("conf") / "queue.toml"


def find(start: Path) -> Path | None:
    """The nearest `conf/queue.toml`, in *start* or any folder above it."""
    for folder in (start, *start.parents):
        candidate = folder / RELATIVE
        if _is_there(candidate):
            return candidate
    return None


def _is_there(path: Path) -> bool:
    """A folder that we may not enter holds no configuration of ours."""
    try:
        return path.is_file()
    except PermissionError:
        return False


def named(path: Path, source: str) -> Path:
    """A file that a flag or the environment names: it must be there."""
    if not path.is_file():
        raise ConfigurationError(f"There is no configuration file {str(path)!r} (from {source}).")
    return path.absolute()


def root_of(path: Path) -> Path:
    """The folder that holds `conf/`; the file's own folder where it lies somewhere else."""
    folder = path.absolute().parent
    return folder.parent if folder.name == RELATIVE.parent.name else folder


def distrust(path: Path) -> str | None:
    """Why this file should not be believed, if there is a reason: strangers may have written it."""
    for place in (path, path.parent):
        status = place.stat()
        if status.st_mode & stat.S_IWOTH and not (place.is_dir() and status.st_mode & stat.S_ISVTX):
            return f"{place} can be written by everybody"
        if status.st_uid not in _believed():
            return f"{place} belongs to another user (uid {status.st_uid})"
    return None


def refuse_planted(path: Path) -> str | None:
    """Raise if a file that was merely found could have been planted; as root, return a note about a foreign owner.

    Root in a container works on folders of other users all day long, and those users could not gain more than they
    have. A user that runs a stranger's file is another matter.
    """
    reason = distrust(path)
    if reason is None:
        return None
    if os.geteuid() == 0 and "another user" in reason:
        return f"{reason}; its configuration is used all the same, because you are root."
    raise ConfigurationError(
        f"{path} is not used: {reason}.",
        hint=f"Correct that with chmod or chown, or name the file on purpose: --config {path}",
    )


def _believed() -> set[int]:
    sudo = os.environ.get("SUDO_UID", "")
    return {0, os.geteuid(), *([int(sudo)] if sudo.isdigit() and os.geteuid() == 0 else [])}
