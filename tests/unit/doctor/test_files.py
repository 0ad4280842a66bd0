"""Disks that cannot be written, files that are not private, folders on other machines, logs that nobody can keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuectl.doctor.filesystem import network_kind
from tests.unit.cli.conftest import Site
from tests.unit.doctor.conftest import Examine

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 0:30 / /srv rw,relatime shared:1 - nfs4 server:/srv rw
31 30 0:31 / /srv/local rw - xfs /dev/vdb rw
32 27 0:32 / /mnt/with\\040blank rw - fuse.sshfs me@there: rw
33 27 0:33 / /mnt/twice rw - ext4 /dev/vdc rw
34 27 0:34 / /mnt/twice rw - cifs //there/share rw
what is this
"""


def test_a_disk_that_is_missing_fails(site: Site, examine: Examine) -> None:
    """With the command that makes it, if somebody chose it; the built-in one may never be needed."""
    assert examine("disks").of("disks", "public")["detail"].startswith(f"{site.root}/storage/app/public is not there;")
    site.write('[disks.uploads]\nroot = "up loads"\n')
    found = examine("disks").of("disks", "uploads")
    assert (found["status"], found["fix"]) == ("failed", f"mkdir -p '{site.root}/up loads'")
    (site.root / "up loads").mkdir()
    assert examine("disks").status("disks", "uploads") == "ok"
    assert list((site.root / "up loads").iterdir()) == []


@pytest.mark.parametrize("root", ["/proc/self", "shop.py"])
def test_a_disk_that_cannot_be_written_fails(site: Site, examine: Examine, root: str) -> None:
    """A folder in which nobody can make files, and a file where a folder should be."""
    site.write(f'[disks.uploads]\nroot = "{root}"\n')
    assert examine("disks").status("disks", "uploads") == "failed"


@pytest.mark.fault("X16")
def test_what_everybody_may_read_is_warned_of(ready: Site, examine: Examine) -> None:
    """The database, and the file with the passwords; each remedy is a command."""
    assert examine("files").of("files")["detail"] == "What is private is private."
    (ready.root / ".env").touch(mode=0o644)
    (ready.root / "storage/queue.sqlite").chmod(0o644)
    found = examine("files").checks
    assert {one["subject"]: (one["status"], one["fix"]) for one in found} == {
        f"{ready.root}/{name}": ("warning", f"chmod o-rwx {ready.root}/{name}")
        for name in (".env", "storage/queue.sqlite")
    }


@pytest.mark.fault("X16")
@pytest.mark.parametrize(
    ("name", "mode", "status"),
    [("storage", 0o777, "failed"), ("storage", 0o1777, "warning"), ("storage/queue.sqlite", 0o666, "failed")],
)
def test_what_everybody_may_write_fails(ready: Site, examine: Examine, name: str, mode: int, status: str) -> None:
    """Whoever puts jobs into the file runs them; in a folder like /tmp only what is beside it can be another's."""
    (ready.root / name).chmod(mode)
    assert examine("files").status("files", f"{ready.root}/{name}") == status


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/queue.sqlite", ""),
        ("/srv/app/queue.sqlite", "nfs4"),
        ("/srv/local/queue.sqlite", ""),
        ("/srvother/queue.sqlite", ""),
        ("/mnt/with blank/queue.sqlite", "fuse.sshfs"),
        ("/mnt/twice/queue.sqlite", "cifs"),
    ],
)
def test_a_network_file_system_is_recognised(path: str, kind: str) -> None:
    """By the innermost mount; of two at one place, by the later."""
    assert network_kind(Path(path), MOUNTS) == kind


def test_where_the_kernel_does_not_tell_nothing_is_said(tmp_path: Path) -> None:
    """No mounts, no warning; and here there is no network."""
    assert network_kind(tmp_path, "") == ""
    assert isinstance(network_kind(tmp_path), str)


# The log

LOG = '[log]\nfile = "{}"\n'


def test_the_log_is_shown(site: Site, examine: Examine) -> None:
    """Its path, before its first record and afterwards; looking makes no file that root would keep from others."""
    assert "stderr" in examine("log").of("log")["detail"]
    site.write(LOG.format("storage/logs/q.log"))
    path = site.root / "storage/logs/q.log"
    assert examine("log").of("log")["detail"] == f"{path} is not there yet; the first record makes it."
    assert not path.parent.exists()
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    assert examine("log").of("log")["detail"] == f"{path} can be written."
    assert str(path) in site.run("about").out
    path.chmod(0o644)
    assert examine("log").of("log", str(path))["fix"] == f"chmod o-rwx {path}"


@pytest.mark.parametrize("file", ["shop.py/q.log", "/proc/self/q.log", "storage"])
def test_a_log_that_cannot_be_kept_fails(site: Site, examine: Examine, file: str) -> None:
    """A file where its folder should be, a folder that cannot be written, a folder where it should be."""
    (site.root / "storage").mkdir()
    site.write(LOG.format(file))
    assert examine("log").status("log") == "failed"
