"""The notification service of the measured application."""

from __future__ import annotations

import os
from typing import Any

from hr.services import StatedBroadcast


class CountedBroadcast(StatedBroadcast):
    """Takes the stated time, then writes down which notification it was: twice if it is called twice."""

    def broadcast(self, notification: dict[str, Any]) -> None:
        super().broadcast(notification)
        ledger = os.open(os.environ["HR_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(ledger, f"{notification['id']}\n".encode())
        finally:
            os.close(ledger)
