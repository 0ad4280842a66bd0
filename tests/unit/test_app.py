"""The composition root: each thing built once, from the configuration, when it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from queuectl.app import App
from queuectl.errors import ConfigurationError

CONFIG = """\
default = "sync"
[connections.sync]
[connections.main]
driver = "database"
url = "sqlite:///a.db"
[connections.slow]
driver = "database"
url = "sqlite:///a.db"
queue = "slow"
[connections.other]
driver = "database"
url = "sqlite:///b.db"
"""


def app(root: Path, more: str = "", **overrides: str) -> App:
    (root / "queue.toml").write_text(CONFIG + more)
    return App.load(root / "queue.toml", env={}, overrides=overrides)


def test_a_driver_is_built_once_and_reaches_nothing(tmp_path: Path) -> None:
    """No file is made by asking for a driver."""
    found = app(tmp_path)
    assert found.driver("main") is found.driver("main")
    assert found.driver().name == "sync"
    assert not list(tmp_path.glob("*.db"))


def test_an_unknown_connection_is_guessed(tmp_path: Path) -> None:
    """Wherever the name came from: a job class, a call."""
    with pytest.raises(ConfigurationError, match="Did you mean 'main'"):
        app(tmp_path).driver("mian")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            '[connections.x]\ndriver = "databse"',
            "queue.toml:14: There is no driver 'databse'. Did you mean 'database'?",
        ),
        ('[connections.x]\nqueue = "y"', "[connections.x]: There is no driver 'x'. Known: database, redis, sync."),
        ('[connections.x]\ndriver = "redis"\nurl = "http://h"', "queue.toml:15: A Redis URL starts with redis://"),
    ],
)
def test_a_driver_that_cannot_be_built_says_where_its_setting_is(tmp_path: Path, more: str, says: str) -> None:
    """A file and line, a variable, or at least the connection."""
    with pytest.raises(ConfigurationError) as caught:
        app(tmp_path, more).driver("x")
    assert str(caught.value).startswith(says)


def test_connections_that_keep_jobs_are_the_mentioned_ones(tmp_path: Path) -> None:
    """Neither `sync`, which keeps none, nor the built-in ones that nobody spoke of."""
    assert app(tmp_path).store_names == ["main", "slow", "other"]


def test_a_store_of_failed_jobs_is_looked_into_once(tmp_path: Path) -> None:
    """Two connections may lead to the same tables."""
    assert [name for name, _ in app(tmp_path).failed_stores()] == ["main", "other"]


def test_the_collecting_store_comes_first(tmp_path: Path) -> None:
    """And a connection that leads there itself needs nothing carried."""
    found = app(tmp_path, '[failed]\nconnection = "other"')
    assert [name for name, _ in found.failed_stores()] == ["other", "main"]
    assert found.far_failed("main") is found.driver("other").failed
    assert found.far_failed("other") is None
    assert found.relays("other", ["default"], print) == []
    assert len(found.relays("main", ["default"], print)) == 1
    assert app(tmp_path).far_failed("main") is None


def test_a_flag_wins(tmp_path: Path) -> None:
    """Overrides are the topmost layer."""
    assert app(tmp_path, default="main").driver().name == "main"


def test_the_runtime_is_what_jobs_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built once, with the configured disks."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = app(tmp_path)
    assert found.runtime is found.runtime
    assert found.runtime.registry is found.registry
    assert found.runtime.notifier() is None
    assert found.runtime.disks["public"]
