"""The pytest plug-in that comes with the package: one fixture, which imports what it needs when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from queuectl.testing.fake import Queue


@pytest.fixture
def fake_queue() -> Iterator[Queue]:
    """Keeps every job that is dispatched while the test runs; `queuectl.testing.Queue`."""
    from queuectl.testing.fake import Queue

    with Queue.fake() as queue:
        yield queue
