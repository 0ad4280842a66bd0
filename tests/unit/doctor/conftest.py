"""A project that is examined, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.testing.plugin import start
from queuectl.testing.servers import Server, Valkey
from tests.unit.cli.conftest import Run, Site
from tests.unit.cli.conftest import ready as ready
from tests.unit.cli.conftest import site as site

CANARY = "s3cr3t-canary"


@dataclass(frozen=True)
class Examined:
    """What `queuectl doctor --json` said."""

    run: Run

    @property
    def checks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run.json["checks"]
        return found

    def of(self, name: str, subject: str | None = None) -> dict[str, Any]:
        """The one finding of a check, or of a check about something."""
        [found] = [one for one in self.checks if one["name"] == name and subject in (None, one["subject"])]
        return found

    def status(self, name: str, subject: str | None = None) -> str:
        return str(self.of(name, subject)["status"])


Examine = Callable[..., Examined]


@pytest.fixture
def examine(site: Site) -> Examine:
    """Run `queuectl doctor --only CHECKS --json` (all checks if none are named), and hold it to its promises."""

    def examined(*checks: str, options: tuple[str, ...] = ()) -> Examined:
        run = site.run("doctor", "--json", *(["--only", ",".join(checks)] if checks else []), *options)
        found = Examined(run)
        statuses = [one["status"] for one in found.checks]
        assert run.code == (9 if "failed" in statuses else 0), run.out
        assert all(bool(one["fix"]) == (one["status"] != "ok") for one in found.checks), run.out
        assert CANARY not in run.out + run.err
        return found

    return examined


@pytest.fixture
def own_valkey(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A server of this test's own, to be mistreated."""
    server = start(Valkey, pytestconfig)
    yield server
    server.close()


@pytest.fixture
def an_hour_ago() -> Iterator[App]:
    """The same project, for whoever did something an hour ago."""
    app = App(App.load().config, clock=FakeClock(time.time() - 3600))
    yield app
    app.close()
