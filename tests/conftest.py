"""Everything that all tests share."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

pytest_plugins = ["queuectl.testing.plugin", "tests.fault_table"]

settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1000, deadline=None)  # pytest --hypothesis-profile=thorough
settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Under nohup a hang-up is ignored, by every worker that a test starts too; what is caught is not inherited."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: None)
