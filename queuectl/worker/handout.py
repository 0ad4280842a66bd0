"""Giving children something to do."""

from __future__ import annotations

import math
from itertools import count

from queuectl.jobs.outcome import Failed
from queuectl.worker.children import Child
from queuectl.worker.crew import Crew
from queuectl.worker.docket import Docket, Running, Unsettled
from queuectl.worker.exchanges import Exchanges
from queuectl.worker.messages import pack_failed, pack_run
from queuectl.worker.switchboard import Switchboard

HOOK_TIME = 60.0
"""Seconds a `failed` hook may take before its child is killed."""


class Handout:
    """What an exchange brought goes to children that have room. The key of a job is positive, of a hook negative."""

    def __init__(
        self, switchboard: Switchboard, crew: Crew, docket: Docket, exchanges: Exchanges, kill_after: float
    ) -> None:
        self._switchboard, self._crew, self._docket, self._exchanges = switchboard, crew, docket, exchanges
        self._kill_after = kill_after
        self._hook_keys = count(-1, -1)

    def make(self) -> float:
        """Hooks of failed jobs first, then whoever has to run alone, then what was just reserved.

        Returns the monotonic time at which the first of what began now may have to be ended.
        """
        given: set[Child] = set()
        while self._exchanges.hooks and (child := self._crew.roomiest()) is not None:
            self._call_hook(child, self._exchanges.hooks.popleft())
            given.add(child)
        given.update(self._run_suspects())
        while self._exchanges.reserved and (child := self._crew.roomiest()) is not None:
            opened = self._docket.open(self._exchanges.reserved.popleft(), self._crew.declared)
            if opened is not None:
                self._start(child, *opened)
                given.add(child)
        while self._exchanges.reserved:  # a child died at the wrong moment: what cannot start now goes back unharmed
            self._docket.give_back(self._exchanges.reserved.popleft())
        for child in given:
            self._switchboard.send(child)
        return min((child.next_deadline(0.0) for child in given), default=math.inf)

    def _run_suspects(self) -> list[Child]:
        """One in each child that runs nothing."""
        given = list[Child]()
        for child in self._crew.idle():
            if (suspect := self._docket.next_suspect()) is None:
                break
            self._start(child, *suspect)
            child.is_alone = True
            given.append(child)
        return given

    def _start(self, child: Child, key: int, running: Running) -> None:
        timeout = running.limits.timeout
        patience = timeout + self._kill_after if timeout else math.inf
        child.assign(key, pack_run(key, running.attempt, timeout), patience)

    def _call_hook(self, child: Child, failed: Unsettled) -> None:
        """Let the job's `failed` hook know; its record is durable, so whatever the hook does can lose nothing."""
        why = failed.outcome.record.problem if isinstance(failed.outcome, Failed) else None
        key = next(self._hook_keys)
        child.assign(key, pack_failed(key, failed.running.attempt, why), HOOK_TIME)
