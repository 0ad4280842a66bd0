"""Which reason to stop stands when there are several."""

from __future__ import annotations

import pytest

from queuectl.worker.stop import Stopping, StopReason


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        (StopReason.INTERRUPTED, StopReason.RELOADED, StopReason.INTERRUPTED),  # systemd may send TERM and then HUP
        (StopReason.RELOADED, StopReason.INTERRUPTED, StopReason.INTERRUPTED),
        (StopReason.LOST_CONNECTION, StopReason.RELOADED, StopReason.LOST_CONNECTION),
        (StopReason.INTERRUPTED, StopReason.BROKEN, StopReason.INTERRUPTED),
        (StopReason.ABORTED, StopReason.INTERRUPTED, StopReason.ABORTED),
    ],
)
def test_an_operators_word_stands(first: StopReason, second: StopReason, stands: StopReason) -> None:
    """The first reason otherwise; what an operator wants to end does not start anew."""
    stopping = Stopping(None)
    stopping.want(first)
    stopping.want(second)
    assert stopping.wanted is not None
    assert stopping.wanted.reason is stands
