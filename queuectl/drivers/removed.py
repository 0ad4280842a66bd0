"""What operators removed, kept for a day, so that a wrong word can be taken back.

`Driver.clear`, `Driver.cancel`, `FailedStore.forget` and `FailedStore.flush` move what they delete here, in the same
step, where they are given the id of an operation (`keep`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

KEPT = 86_400.0
"""Seconds for which a removed job can be put back; then it is gone by itself."""
MOST_KEPT = 250_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What one portion of an undo did."""

    jobs: int = 0
    """Back in their queues."""
    failed: int = 0
    """Back in the failed store."""
    left: int = 0
    """Jobs of this operation that stay kept: a worker was running them when they were removed, and may have finished
    them since. Told with the last portion."""
    more: bool = False
    """There may be more to put back: ask again."""


class RemovedStore(ABC):
    """The removed jobs of one connection, waiting and failed, by operation."""

    most: int = MOST_KEPT
    """How many are kept. The oldest operations go first; of one that is larger than this, the newest jobs stay."""

    @abstractmethod
    def put_back(self, operation: str, *, limit: int = 500, running: bool = False) -> Restored:
        """Put back up to *limit* jobs of an operation, each in one step, so that two undos at once double nothing.

        A job goes to its queue with payload, attempts and due time as they were; a failed one to the failed store,
        unless the same uuid has failed again since. *running*: also those that a worker had when they were removed.
        Called until `more` is false; what an interrupted undo left is put back by the next.
        """

    @abstractmethod
    def count(self, operation: str) -> int:
        """How many jobs of an operation are kept."""

    @abstractmethod
    def purge(self, operation: str | None = None) -> int:
        """Delete what an operation removed, or what all did, for good; how many jobs."""
