"""Projects as in the acceptance tests."""

from __future__ import annotations

from tests.acceptance.conftest import make_project, own_server, project, store

__all__ = ["make_project", "own_server", "project", "store"]
