"""Every call of a worker to its store goes wrong once, in each way it can; nothing is lost or counted wrong."""

from __future__ import annotations

import pytest

from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import Arena, Fault, job
from tests.faults.rig.faulty import MODES, Strike
from tests.faults.rig.nursery import Nursery

QUICK = dict.fromkeys(MODES, "exchange")
"""Its other calls move no job; a long run strikes at each of them, too."""
THOROUGH = dict.fromkeys(MODES, "*")


class Course:
    """Workers one after the other, each with a queue of its own and one fault, and what must come of it."""

    def __init__(self, arena: Arena, nursery: Nursery, *flags: str) -> None:
        self._arena, self._nursery, self._flags = arena, nursery, flags
        self._queues: list[str] = []
        self.doubled: set[str] = set()
        """Done by a process that was killed before the store knew."""
        self.skipped: set[str] = set()
        """Reserved by a process that was killed, or did not hear the answer, before they started."""

    def work(self, fault: Fault) -> None:
        """One job that is done, one that fails for good, one that is released, a delayed one."""
        queue, arena = fault.name, self._arena
        self._queues.append(queue)
        arena.put(
            job(f"{queue}.done", queue=queue),
            job(f"{queue}.failed", "Wishing", queue=queue, wish="fail"),
            job(f"{queue}.released", "Wishing", queue=queue, wish="release"),
            job(f"{queue}.delayed", queue=queue, delay=1),
        )
        before = arena.struck
        ended = self._run(queue, fault)
        for strike in arena.strikes()[before:]:
            self._expect(strike)
        assert ended in (0, 69, -9), fault

    def drain(self) -> None:
        self._arena.await_expiry()
        assert self._run(",".join(self._queues)) == 0

    def _run(self, queues: str, fault: Fault | None = None) -> int:
        words = ("work", f"--queue={queues}", "--stop-when-empty", "--tries=2", *self._flags)
        return self._nursery.run(self._arena.project, *words, fault=fault and fault.environment).code

    def _expect(self, strike: Strike) -> None:
        """From what the process held when it was struck, and what had been written down by its end."""
        dead = strike.mode.startswith("kill")
        started = {(event["key"], event["attempt"]) for event in self._arena.project.events() if event["ev"] == "start"}
        orphans = strike.held if dead else strike.unheard
        self.skipped |= {key for key, attempt in orphans.items() if (key, attempt) not in started}
        if dead:
            self.doubled |= strike.held.keys() & self._arena.done()


@pytest.mark.fault("F4", "F22")
@pytest.mark.parametrize("calls", [QUICK, pytest.param(THOROUGH, marks=pytest.mark.long)], ids=["quick", "thorough"])
@pytest.mark.parametrize("modes", [MODES[:2], MODES[2:]], ids=["killed", "cut off"])
def test_any_call_of_a_worker_may_go_wrong(
    arena: Arena, nursery: Nursery, modes: tuple[str, ...], calls: dict[str, str]
) -> None:
    """No job is lost. A job is done twice exactly if its worker was killed between its effect and the end of the call
    that carries its outcome. Every start has its number, but for jobs whose reservation nobody lived to hear of."""
    _sweep(arena, Course(arena, nursery), {mode: calls[mode] for mode in modes})


@pytest.mark.fault("F4", "F22")
@pytest.mark.parametrize("store", ["sqlite", pytest.param("valkey", marks=pytest.mark.long)])
def test_any_exchange_of_a_worker_with_several_jobs_may_go_wrong(
    store: str, make_arena: MakeArena, nursery: Nursery
) -> None:
    """The same with all its jobs in flight at once, and their outcomes in one exchange."""
    arena = make_arena(store)
    _sweep(arena, Course(arena, nursery, "--concurrency=8"), QUICK)


def _sweep(arena: Arena, course: Course, calls: dict[str, str]) -> None:
    for mode, struck in calls.items():
        for fault in arena.sweep(struck, [mode]):
            course.work(fault)
    course.drain()
    found = arena.check(doubled=course.doubled, recounted=course.skipped)
    assert found.miscounted.keys() == course.skipped
    assert arena.places() == {key: ["failed"] for key in arena.acknowledged if key.endswith(".failed")}
    settled = {key for strike in arena.strikes() if strike.mode == "kill-before" for key in strike.settling}
    assert course.doubled >= {key for key in settled if key.endswith(".done")}
