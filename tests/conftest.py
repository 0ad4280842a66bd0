"""Everything that all tests share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.acceptance.nursery import Nursery

pytest_plugins = ["queuectl.testing.plugin", "tests.fault_table"]

settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1000, deadline=None)  # pytest --hypothesis-profile=thorough
settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Under nohup a hang-up is ignored, by every worker that a test starts too; what is caught is not inherited."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: None)


@pytest.fixture(scope="session")
def forks() -> Iterator[Nursery]:
    """Where processes of all projects come from cheaply that prepare a test or look at what it did."""
    with Nursery() as nursery:
        yield nursery
