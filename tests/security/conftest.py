"""Projects as in the acceptance tests, and as in those of the command line."""

from __future__ import annotations

from tests.acceptance.conftest import make_project, own_server, project, store
from tests.unit.cli.conftest import site

__all__ = ["make_project", "own_server", "project", "site", "store"]
