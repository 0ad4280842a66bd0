"""One poll over everything that can wake a worker: signals, its children's lines, the watch over its queues."""

from __future__ import annotations

import math
import select
from typing import TYPE_CHECKING

from queuectl.worker.vigil import Vigil

if TYPE_CHECKING:
    from queuectl.worker.children import Child


class Switchboard:
    """Lines are connected once and stay; only what changes costs anything."""

    def __init__(self, *, may_stay_awake: bool = False) -> None:
        self._poll = select.poll()
        self._vigil = Vigil(self._poll, may_stay_awake=may_stay_awake)
        self._children: dict[int, Child] = {}
        self._writing: set[int] = set()

    def listen_to(self, descriptor: int) -> None:
        self._poll.register(descriptor, select.POLLIN)

    def stop_listening_to(self, descriptor: int) -> None:
        """It may have been closed already."""
        self._poll.unregister(descriptor)

    def connect(self, child: Child) -> None:
        self._children[child.fileno()] = child
        self.listen_to(child.fileno())

    def disconnect(self, child: Child) -> None:
        """Before its line is closed; once or again."""
        if self._children.pop(child.fileno(), None) is not None:
            self._writing.discard(child.fileno())
            self.stop_listening_to(child.fileno())

    def child(self, descriptor: int) -> Child | None:
        """Whose line this is, if it is one."""
        return self._children.get(descriptor)

    def send(self, child: Child) -> None:
        """Write what is queued for it; what its line does not take now goes once it does."""
        child.flush()
        line = child.fileno()
        if child.wants_to_write is not (line in self._writing) and line in self._children:
            self._writing ^= {line}
            self._poll.modify(line, select.POLLIN | (select.POLLOUT if child.wants_to_write else 0))

    def wait(self, seconds: float) -> list[int]:
        """The descriptors that something has come from, once something has or the time is over."""
        return [descriptor for descriptor, _ in self._vigil.wait(math.ceil(seconds * 1000))]
