"""A driver that stands before a real one and lets one chosen call go wrong. Registered as `faulty`, as anybody's is;
or, in a process that calls `stand_before_every_driver`, under the real ones' names.

`FAULT=CALL:N:MODE` names the N-th call (from 1) of that name in a process, whichever connection it goes to, or of any
name where CALL is `*`. What counts as a call is in `CALLS`. The modes:

- `kill-before`, `kill-after`: the process is killed, with the call not made or made and not answered;
- `refused`: the call is not made and reports that the store cannot be reached;
- `unconfirmed`: the call is made and reports that the store cannot be reached.

`FAULT_LOG` is a file that gets a line when the fault strikes: a sweep ends at the first N where nothing is written.
`AWAY=CONNECTION` refuses every call to one connection; these do not count.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from queuectl.clock import Clock
from queuectl.config import Connection
from queuectl.drivers import DRIVERS, driver_class
from queuectl.drivers.contract import Reserved, Settlement, Verdict
from queuectl.errors import DriverUnavailable
from tests.faults.rig.keys import key_of

CALLS = {
    "": ("check", "push", "exchange", "renew", "parked_for", "counts", "page", "clear"),
    "failed": ("add", "page", "get", "retry", "forget", "flush"),
    "control": ("ask_restart", "pause", "resume", "marks", "beat", "leave", "count", "tally", "tell_end"),
}
MODES = ("kill-before", "kill-after", "refused", "unconfirmed")
Held = dict[str, int]
"""Reserved jobs by key, with their attempts."""


@dataclass(frozen=True)
class Strike:
    """What the log says of one fault: which call it was, and what its process held then."""

    call: str
    connection: str
    mode: str
    settling: list[str]
    """Jobs whose outcome the call was to carry."""
    held: Held
    """What the store still had reserved for the process, once the fault had struck."""
    unheard: Held
    """Of these, what was reserved by the very call whose answer nobody got."""

    @classmethod
    def read(cls, log: Path) -> list[Strike]:
        """All that a log tells, oldest first."""
        return [cls(**json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []

    def write(self, log: Path) -> None:
        with log.open("a") as lines:
            lines.write(json.dumps(vars(self)) + "\n")


@dataclass
class Plan:
    """Which call is to go wrong, and how."""

    call: str
    number: int
    mode: str
    log: Path
    seen: Counter[str] = field(default_factory=Counter)

    @classmethod
    @cache
    def of_process(cls) -> Plan | None:
        """One for all connections."""
        if "FAULT" not in os.environ:
            return None
        call, number, mode = os.environ["FAULT"].rsplit(":", 2)
        return cls(call, int(number), mode, Path(os.environ["FAULT_LOG"]))

    def strikes(self, name: str) -> bool:
        """Count this call; whether it is the one."""
        self.seen[name] += 1
        self.seen["*"] += 1
        return self.call in (name, "*") and self.seen[self.call] == self.number

    def go_wrong(self, call: Callable[[], Any], tell: Callable[[str], None]) -> Any:
        if self.mode in ("kill-after", "unconfirmed"):
            call()
        tell(self.mode)
        if self.mode.startswith("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        raise DriverUnavailable("The fault rig has cut the line.")


class _Guarded:
    """An object of the driver whose calls are counted."""

    def __init__(self, inner: Any, driver: FaultyDriver, part: str) -> None:
        self._inner, self._driver, self._part = inner, driver, part

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in CALLS[self._part]:
            return found
        return partial(self._driver.call, f"{self._part}.{name}".lstrip("."), found)


class FaultyDriver(_Guarded):
    """`driver = "faulty"`, `inner = "database"` or `"redis"`, and everything else as the inner one wants it."""

    immediate = False
    kind = ""
    """The driver behind it, where the configuration does not say."""

    def __init__(self, inner: Any, plan: Plan | None) -> None:
        super().__init__(inner, self, "")
        self.plan = plan
        self.away = inner.name == os.environ.get("AWAY")
        self.failed = _Guarded(inner.failed, self, "failed")
        self.control = _Guarded(inner.control, self, "control")
        self._held: Held = {}
        self._unheard: Held = {}

    @classmethod
    def from_config(cls, connection: Connection, *, clock: Clock | None = None) -> FaultyDriver:
        options = dict(connection.options)
        inner = driver_class(cls.kind or options.pop("inner"))
        return cls(inner.from_config(replace(connection, options=options), clock=clock), Plan.of_process())

    def call(self, name: str, found: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """One that counts."""
        if self.away:
            raise DriverUnavailable(f"The fault rig keeps {self._inner.name} away.")
        if self.plan is None:
            return found(*args, **kwargs)
        call = partial(self._exchange if name == "exchange" else found, *args, **kwargs)
        if self.plan.strikes(name):
            return self.plan.go_wrong(call, partial(self._tell, name, args[0] if name == "exchange" else ()))
        return call()

    def _exchange(
        self, settlements: Sequence[Settlement], queues: Sequence[str], room: int
    ) -> tuple[list[Verdict], list[Reserved]]:
        verdicts, reserved = self._inner.exchange(settlements, queues, room)
        for settled in settlements:
            self._held.pop(key_of(settled.reserved.payload), None)
        self._unheard = {key_of(one.payload): one.attempts for one in reserved}
        self._held |= self._unheard
        return verdicts, reserved

    def _tell(self, name: str, settlements: Sequence[Settlement], mode: str) -> None:
        assert self.plan is not None
        answered = name != "exchange" or mode in ("kill-before", "refused")
        Strike(
            call=name,
            connection=self._inner.name,
            mode=mode,
            settling=[key_of(one.reserved.payload) for one in settlements],
            held=self._held,
            unheard={} if answered else self._unheard,
        ).write(self.plan.log)


class FaultyDatabase(FaultyDriver):
    kind = "real database"


class FaultyRedis(FaultyDriver):
    kind = "real redis"


def stand_before_every_driver() -> None:
    """From now on this process meets no driver without the rig before it, whatever its configuration says."""
    for kind in (FaultyDatabase, FaultyRedis):
        name = kind.kind.removeprefix("real ")
        DRIVERS[kind.kind] = DRIVERS[name]
        DRIVERS[name] = f"{__name__}:{kind.__name__}"
