"""Taking what children say, and what their deaths tell."""

from __future__ import annotations

from collections.abc import Callable

from queuectl.jobs.outcome import Ending
from queuectl.worker.appetite import Appetite
from queuectl.worker.children import Child, Death
from queuectl.worker.crew import Crew
from queuectl.worker.docket import Docket
from queuectl.worker.frames import Frame, Kind
from queuectl.worker.messages import report_from
from queuectl.worker.stop import Stopping, StopReason
from queuectl.worker.switchboard import Switchboard


class Hearing:
    """Reports become outcomes on the docket; so do deaths."""

    def __init__(
        self,
        switchboard: Switchboard,
        crew: Crew,
        docket: Docket,
        appetite: Appetite,
        stopping: Stopping,
        note: Callable[[str], None],
    ) -> None:
        self._switchboard, self._crew, self._docket = switchboard, crew, docket
        self._appetite, self._stopping, self._note = appetite, stopping, note
        self.somebody_died = False
        """A child may be dead: a signal or the end of a line said so."""

    def hear(self, child: Child) -> None:
        """Take what a child says."""
        if child.wants_to_write:
            self._switchboard.send(child)
        for frame in child.receive():
            self._take(child, frame)
        if child.hung_up:
            self._switchboard.disconnect(child)
            child.kill()
            self.somebody_died = True

    def _take(self, child: Child, frame: Frame) -> None:
        match frame.kind:
            case Kind.REPORT | Kind.HOOKED if frame.key not in child.runs:
                pass  # not about what it runs: no job is settled by it
            case Kind.REPORT if frame.key > 0:
                self._take_report(child, frame)
            case Kind.HOOKED if frame.key < 0:
                self._take_hooked(child, frame)
            case Kind.HELLO:
                self._crew.greet(child, frame.facts["jobs"])
            case Kind.BROKEN:
                self._crew.despair()
                self._stopping.want(StopReason.BROKEN, frame.facts["message"])
            case _:
                raise AssertionError(frame.kind)

    def _take_report(self, child: Child, frame: Frame) -> None:
        report = report_from(frame)
        child.release(frame.key)
        self._docket.close(frame.key, report)
        self._appetite.job_ended()
        if report.ending is Ending.TIMED_OUT:  # its connections may be in mid-protocol: never used again
            self._crew.retire(child)
        else:
            self._crew.rest(child)

    def _take_hooked(self, child: Child, frame: Frame) -> None:
        child.release(frame.key)
        self._crew.rest(child)
        if why := frame.facts["problem"]:
            self._note(f"A failed() hook raised: {why['message']}")

    def bury(self) -> None:
        """Settle what dead children ran; whatever they had reported before still counts."""
        self.somebody_died = False
        for child, death in self._crew.reap():
            self.hear(child)
            self._settle_runs_of(child, death)

    def _settle_runs_of(self, child: Child, death: Death) -> None:
        jobs = [key for key in child.runs if key > 0]
        calls_hooks = len(jobs) < len(child.runs)
        if calls_hooks:
            self._note(f"The child that called a failed() hook was lost: {death.at_length}")
        if jobs:
            self._docket.close_dead(jobs, death, child.killed_for, child.overdue, has_company=calls_hooks)
        elif not calls_hooks and self._stopping.wanted is None:
            when = "before it was ready" if child.declarations is None else "while it had nothing to do"
            self._note(f"A child was lost {when}: {death.at_length}")
