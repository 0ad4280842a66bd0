"""The latest exceptions, kept for those who want the object itself: `failed(error)`, the caller of a sync dispatch."""

from __future__ import annotations

import threading
import traceback
from collections import OrderedDict

LATEST = 16


class Raised:
    """The latest few exceptions by the uuid of their job."""

    def __init__(self) -> None:
        self._errors: OrderedDict[str, BaseException] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, uuid: str, error: BaseException) -> None:
        """Remember this one. The frames of the ones before are emptied: they hold whatever the job had in memory."""
        with self._lock:
            for former in self._errors.values():
                traceback.clear_frames(former.__traceback__)
            self._errors.pop(uuid, None)
            self._errors[uuid] = error
            while len(self._errors) > LATEST:
                self._errors.popitem(last=False)

    def get(self, uuid: str) -> BaseException | None:
        return self._errors.get(uuid)

    def take(self, uuid: str) -> BaseException | None:
        """The exception, remembered no longer."""
        return self._errors.pop(uuid, None)
