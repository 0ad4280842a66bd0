"""A notification service of the application's own, named in conf/queue.toml or by the environment."""

from __future__ import annotations

import os
import time
from typing import Any


class StatedBroadcast:
    """Takes a stated time, as a push service far away does: HR_BROADCAST_MS, 300 if it is not set."""

    def __init__(self) -> None:
        self._seconds = float(os.environ.get("HR_BROADCAST_MS", "300")) / 1000

    def broadcast(self, notification: dict[str, Any]) -> None:
        time.sleep(self._seconds)
