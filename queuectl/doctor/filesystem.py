"""Which kind of file system a path is on, where the kernel tells."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
OVER_A_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|ncpfs|afs|ceph|glusterfs|lustre|beegfs|fuse\.(sshfs|s3fs|rclone|glusterfs).*"
)


def network_kind(path: Path, mounts: str | None = None) -> str:
    """The name of the network file system that *path* is on; empty if it is on none, or nobody can tell."""
    kind = _kind(path, _read() if mounts is None else mounts)
    return kind if OVER_A_NETWORK.fullmatch(kind) else ""


def _read() -> str:
    try:
        return MOUNTS.read_text(errors="replace")
    except OSError:
        return ""


def _kind(path: Path, mounts: str) -> str:
    """Of the innermost mount point above *path*; of two at one place, the later one."""
    place, found, depth = path.resolve(), "", -1
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        words = before.split()
        if not dash or len(words) < 5:
            continue
        point = Path(_unescaped(words[4]))
        if place.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = after.split()[0], len(point.parts)
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
