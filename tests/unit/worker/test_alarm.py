"""A time limit strikes inside the block it guards, and nowhere else."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from queuectl.errors import JobTimeout
from queuectl.worker.alarm import Alarm


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    former = signal.getsignal(signal.SIGALRM)
    made = Alarm()
    made.install()
    yield made
    signal.signal(signal.SIGALRM, former)


def test_it_interrupts_the_block(alarm: Alarm) -> None:
    """After the seconds given."""
    with pytest.raises(JobTimeout), alarm(0.05):
        time.sleep(30)


def test_it_rings_whatever_the_job_before_did_with_the_signal(alarm: Alarm) -> None:
    """Libraries set alarms of their own and leave their handlers behind."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    with pytest.raises(JobTimeout), alarm(0.05):
        time.sleep(30)


def test_it_is_quiet_afterwards(alarm: Alarm) -> None:
    """A block that ended in time takes its alarm along."""
    with alarm(0.05):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    signal.raise_signal(signal.SIGALRM)


def test_zero_is_no_limit(alarm: Alarm) -> None:
    """Nothing is armed."""
    with alarm(0):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
