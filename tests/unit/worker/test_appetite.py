"""What a worker takes for empty, and when it asks again."""

from __future__ import annotations

from queuectl.worker.appetite import Appetite
from queuectl.worker.options import WorkerOptions


def test_outcomes_sent_without_a_question_end_the_emptiness() -> None:
    """A job that went back while nothing could be asked for is there: the queue is not known to be empty."""
    appetite = Appetite(WorkerOptions(queues=("default",)))
    appetite.fed(0, 1)
    assert appetite.empty_since is not None
    assert appetite.asks_in > 0
    appetite.fed(0, 0)
    assert appetite.empty_since is None
    assert appetite.asks_in == 0
