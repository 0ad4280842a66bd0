"""Everything that all tests share."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["queuectl.testing.plugin", "tests.fault_table"]

settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1000, deadline=None)  # pytest --hypothesis-profile=thorough
settings.load_profile("ci")
