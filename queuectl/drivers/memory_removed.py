"""What was removed, in memory: the third small half of the reference driver."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import RLock

from queuectl.clock import Clock
from queuectl.drivers.removed import KEPT, RemovedStore, Restored


@dataclass(frozen=True, slots=True, eq=False)
class Removed:
    """One job, and the way back for it."""

    put_back: Callable[[], bool]
    """Whether it is back where it was."""
    failed: bool = False
    running: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    operation: str
    until: float
    job: Removed


class MemoryRemovedStore(RemovedStore):
    """Removed jobs, the oldest first."""

    def __init__(self, lock: RLock, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self._kept: list[_Kept] = []

    def keep(self, operation: str | None, jobs: Iterable[Removed]) -> None:
        """Keep these, if there is an operation to keep them for."""
        if operation is not None:
            until = self._clock.now() + KEPT
            self._kept += [_Kept(operation, until, job) for job in jobs]
            self._kept = self._living()[-self.most :]

    def put_back(self, operation: str, *, limit: int = 500, running: bool = False) -> Restored:
        with self._lock:
            kept = self._of(operation)
            movable = [one for one in kept if running or not one.job.running]
            chosen = movable[:limit]
            self._kept = [one for one in self._kept if one not in chosen]
            back = [one.job.failed for one in chosen if one.job.put_back()]
            return Restored(
                jobs=back.count(False),
                failed=back.count(True),
                left=len(kept) - len(movable),
                more=len(movable) > len(chosen),
            )

    def count(self, operation: str) -> int:
        with self._lock:
            return len(self._of(operation))

    def purge(self, operation: str | None = None) -> int:
        with self._lock:
            gone = self._living() if operation is None else self._of(operation)
            self._kept = [one for one in self._kept if one not in gone]
            return len(gone)

    def _of(self, operation: str) -> list[_Kept]:
        return [one for one in self._living() if one.operation == operation]

    def _living(self) -> list[_Kept]:
        now = self._clock.now()
        return [one for one in self._kept if one.until > now]
