"""A stop may take as long as the longest job, and a little more."""

from __future__ import annotations

import pytest

from queuectl.deployment.stopping import MARGIN, longest_stop, time_limits
from queuectl.errors import UsageError
from queuectl.jobs.limits import Settings

DECLARED = {"Mail": Settings(), "Report": Settings(timeout=600), "Ping": Settings(timeout=1)}


def test_the_longest_job_decides() -> None:
    """Its own timeout, whatever the flag says; the flag for those that say nothing."""
    assert time_limits(DECLARED, 60) == {"Mail": 60, "Report": 600, "Ping": 1}
    assert longest_stop(time_limits(DECLARED, 60), 2) == 602 + MARGIN
    assert longest_stop(time_limits(DECLARED, 900), 2.5) == 903 + MARGIN


def test_a_job_without_a_limit_needs_an_answer() -> None:
    """No number of seconds is long enough for it."""
    with pytest.raises(UsageError, match="No time limit: Mail"):
        longest_stop(time_limits(DECLARED, 0), 2)
