"""A configuration that a stranger could have planted is not used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from queuectl.config.finding import find
from queuectl.config.loading import load
from queuectl.errors import ConfigurationError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    file = tmp_path / "conf" / "queue.toml"
    file.parent.mkdir()
    file.write_text('default = "redis"')
    return file


@pytest.mark.fault("X17")
def test_a_file_that_everybody_may_write_is_refused(planted: Path, tmp_path: Path) -> None:
    """The sentence names the place and how to go on."""
    planted.chmod(0o666)
    with pytest.raises(ConfigurationError, match="can be written by everybody") as caught:
        load(env={}, start=tmp_path)
    assert "--config" in (caught.value.hint or "")


@pytest.mark.fault("X17")
def test_a_folder_that_everybody_may_write_is_refused(planted: Path, tmp_path: Path) -> None:
    """Who may write the folder may replace the file."""
    planted.parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match="can be written by everybody"):
        load(env={}, start=tmp_path)


def test_a_file_named_on_purpose_is_believed(planted: Path, tmp_path: Path) -> None:
    """`--config` and QUEUECTL_CONFIG are a decision."""
    planted.chmod(0o666)
    assert load(planted, env={}, start=tmp_path).default == "redis"


@pytest.mark.fault("X17")
@as_root
def test_root_is_told_about_a_foreign_owner(planted: Path, tmp_path: Path) -> None:
    """A container's root works on other people's folders: a note, not a refusal."""
    os.chown(planted, 12345, 12345)
    config = load(env={}, start=tmp_path)
    assert config.default == "redis"
    assert "uid 12345" in config.notes[0]


@pytest.fixture
def in_the_open() -> Iterator[Path]:
    """A folder that every user may enter; pytest keeps its own to itself."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def another_user() -> Iterator[None]:
    os.seteuid(54321)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.fault("X17")
@as_root
def test_a_user_does_not_run_a_strangers_file(in_the_open: Path) -> None:
    """Found, not named, and owned by neither root nor the user: refused."""
    file = in_the_open / "conf" / "queue.toml"
    file.parent.mkdir()
    file.write_text("")
    os.chown(file, 12345, 12345)
    with another_user(), pytest.raises(ConfigurationError, match="belongs to another user"):
        load(env={}, start=in_the_open)


@as_root
def test_a_folder_that_may_not_be_entered_is_passed_by(in_the_open: Path) -> None:
    """The search goes on above it."""
    closed = in_the_open / "closed" / "app"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)
    with another_user():
        assert find(closed) is None
