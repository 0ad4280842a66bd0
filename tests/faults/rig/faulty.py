"""A driver that stands before a real one and lets one chosen call go wrong. Registered as `faulty`, as anybody's is.

`FAULT=CALL:N:MODE` names the N-th call (from 1) of that name in a process, or of any name where CALL is `*`. What
counts as a call is in `CALLS`. The modes:

- `kill-before`, `kill-after`: the process is killed, with the call not made or made and not answered;
- `refused`: the call is not made and reports that the store cannot be reached;
- `unconfirmed`: the call is made and reports that the store cannot be reached.

`FAULT_LOG` is a file that gets a line when the fault strikes: a sweep ends at the first N where nothing is written.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from queuectl.clock import Clock
from queuectl.config import Connection
from queuectl.drivers import build
from queuectl.errors import DriverUnavailable

CALLS = {
    "": ("check", "push", "exchange", "renew", "parked_for", "counts", "page", "clear"),
    "failed": ("add", "page", "get", "retry", "forget", "flush"),
    "control": ("ask_restart", "pause", "resume", "marks", "beat", "leave", "count", "tally"),
}
MODES = ("kill-before", "kill-after", "refused", "unconfirmed")


@dataclass
class Plan:
    """Which call is to go wrong, and how."""

    call: str
    number: int
    mode: str
    log: Path
    seen: Counter[str] = field(default_factory=Counter)

    @classmethod
    def from_environment(cls) -> Plan | None:
        if "FAULT" not in os.environ:
            return None
        call, number, mode = os.environ["FAULT"].rsplit(":", 2)
        return cls(call, int(number), mode, Path(os.environ["FAULT_LOG"]))

    def strikes(self, name: str) -> bool:
        """Count this call; whether it is the one."""
        self.seen[name] += 1
        self.seen["*"] += 1
        struck = self.call in (name, "*") and self.seen[self.call] == self.number
        if struck:
            with self.log.open("a") as log:
                log.write(f"{self.call}:{self.number}:{self.mode} at {name} in {os.getpid()}\n")
        return struck

    def go_wrong(self, call: Callable[[], Any]) -> Any:
        if self.mode == "kill-before":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mode != "refused":
            call()
        if self.mode == "kill-after":
            os.kill(os.getpid(), signal.SIGKILL)
        raise DriverUnavailable("The fault rig has cut the line.")


class _Guarded:
    """An object of the driver whose calls are counted."""

    def __init__(self, inner: Any, plan: Plan | None, part: str) -> None:
        self._inner, self._plan, self._part = inner, plan, part

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if self._plan is None or name not in CALLS[self._part]:
            return found
        plan, full = self._plan, f"{self._part}.{name}".lstrip(".")

        def call(*args: Any, **kwargs: Any) -> Any:
            if plan.strikes(full):
                return plan.go_wrong(lambda: found(*args, **kwargs))
            return found(*args, **kwargs)

        return call


class FaultyDriver(_Guarded):
    """`driver = "faulty"`, `inner = "database"` or `"redis"`, and everything else as the inner one wants it."""

    immediate = False

    def __init__(self, inner: Any, plan: Plan | None) -> None:
        super().__init__(inner, plan, "")
        self.failed = _Guarded(inner.failed, plan, "failed")
        self.control = _Guarded(inner.control, plan, "control")

    @classmethod
    def from_config(cls, connection: Connection, *, clock: Clock | None = None) -> FaultyDriver:
        options = dict(connection.options)
        inner = build(replace(connection, driver=options.pop("inner"), options=options), clock=clock)
        return cls(inner, Plan.from_environment())
