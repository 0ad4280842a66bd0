"""Noticing that a database's files are no longer those that were opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from queuectl.drivers.database.files import FINE, FileReplaced, OpenFiles

FILES = ("queue.sqlite", "queue.sqlite-wal")


def make(folder: Path) -> Path:
    """A folder with a database and its log."""
    folder.mkdir()
    for name in FILES:
        (folder / name).touch()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "storage")


def opened(file: Path, *, calm: bool) -> OpenFiles:
    """Files that have been looked at and found to be there. *calm*: in a folder that has not changed for a while."""
    while calm and time.time() - file.parent.stat().st_mtime <= FINE:
        time.sleep(FINE / 10)
    files = OpenFiles(str(file))
    files.look(now=True)
    return files


def replace(folder: Path) -> None:
    (folder / "other").touch()
    (folder / "other").replace(folder / FILES[0])


def remove_the_log(folder: Path) -> None:
    (folder / FILES[1]).unlink()


def move_the_folder(folder: Path) -> None:
    folder.rename(folder.with_name("former"))


def put_another_folder_there(folder: Path) -> None:
    move_the_folder(folder)
    make(folder)


@pytest.mark.parametrize("calm", [True, False], ids=["in a calm folder", "in a busy folder"])
@pytest.mark.parametrize("accident", [replace, remove_the_log, move_the_folder, put_another_folder_there])
def test_an_accident_is_noticed_at_the_next_look(folder: Path, accident: Callable[[Path], None], calm: bool) -> None:
    """A folder that changes twice within a tick of its clock bears the same time: only a calm one is trusted."""
    files = opened(folder / FILES[0], calm=calm)
    accident(folder)
    with pytest.raises(FileReplaced):
        files.look(now=True)


def test_a_folder_that_is_a_link_may_be_turned_elsewhere(folder: Path, tmp_path: Path) -> None:
    """As deployments do. Neither folder changes by that."""
    link, other = tmp_path / "current", make(tmp_path / "next")
    link.symlink_to(folder)
    files = opened(link / FILES[0], calm=True)
    link.unlink()
    link.symlink_to(other)
    with pytest.raises(FileReplaced):
        files.look(now=True)


def test_a_file_that_is_a_link_is_followed(folder: Path, tmp_path: Path) -> None:
    """Its own folder is not the one that changes."""
    (tmp_path / FILES[0]).symlink_to(folder / FILES[0])
    files = opened(tmp_path / FILES[0], calm=True)
    replace(folder)
    with pytest.raises(FileReplaced):
        files.look(now=True)


def test_other_files_of_the_folder_may_come_and_go(folder: Path) -> None:
    """Nothing is lost by that."""
    files = opened(folder / FILES[0], calm=True)
    (folder / "notes.txt").touch()
    files.look(now=True)
