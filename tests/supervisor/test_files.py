"""A file that others obey is written whole, or not at all, and never through a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from queuectl.deployment.files import write_new
from queuectl.errors import QueuectlError


def test_everybody_may_read_it_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    """Whatever the umask says."""
    before = os.umask(0o077)
    try:
        write_new(tmp_path / "a.conf", "é\n")
    finally:
        os.umask(before)
    assert (tmp_path / "a.conf").read_text("utf-8") == "é\n"
    assert stat.S_IMODE((tmp_path / "a.conf").stat().st_mode) == 0o644
    assert [file.name for file in tmp_path.iterdir()] == ["a.conf"]


@pytest.mark.fault("X13")
def test_a_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    """And then in one step: who has it open goes on reading the old one."""
    file = tmp_path / "a.conf"
    file.write_text("old")
    with pytest.raises(QueuectlError, match="is there already"):
        write_new(file, "new")
    with file.open() as reader:
        write_new(file, "new", force=True)
        assert (reader.read(), file.read_text()) == ("old", "new")
    assert [one.name for one in tmp_path.iterdir()] == ["a.conf"]


@pytest.mark.fault("X13")
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_a_link_is_never_followed(tmp_path: Path, target: str, force: bool) -> None:
    """Nor replaced: somebody meant something by it."""
    (tmp_path / "there").write_text("precious")
    link = tmp_path / "a.conf"
    link.symlink_to(tmp_path / target)
    with pytest.raises(QueuectlError, match="is a link"):
        write_new(link, "new", force=force)
    assert link.is_symlink()
    assert (tmp_path / "there").read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.fault("X13")
def test_what_is_not_a_file_is_left_alone(tmp_path: Path) -> None:
    """Folders, pipes and devices."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(QueuectlError, match="not a file"):
            write_new(path, "new", force=True)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """It is not made: a mistyped one would hide the file."""
    with pytest.raises(QueuectlError, match="cannot be written: No such file"):
        write_new(tmp_path / "no" / "a.conf", "new")
