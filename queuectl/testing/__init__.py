"""What tests need: a queue to look into, a worker without processes, throw-away servers, the contract of drivers.

from queuectl.testing import Queue                # keeps what is dispatched; as a fixture of pytest: fake_queue
from queuectl.testing import InlineWorker         # runs what is due, in this process

pytest_plugins = ["queuectl.testing.plugin"]      # the fixtures: valkey, redis62, postgres, mariadb, …

class TestMyDriver(DriverContract):               # queuectl.testing.contract
    @pytest.fixture
    def connection(self): return Connection("mine", "mine", url=...)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queuectl.testing.fake import Dispatched, Queue
    from queuectl.testing.worker import InlineWorker, Ran

__all__ = ["Dispatched", "InlineWorker", "Queue", "Ran"]


def __getattr__(name: str) -> Any:
    """Imported when asked for: the plug-in of servers needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from queuectl.testing import fake, worker

    return getattr(fake, name) if name in ("Dispatched", "Queue") else getattr(worker, name)
