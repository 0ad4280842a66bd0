"""Running jobs: one attempt at a time, and the judgement of what became of it."""

from queuectl.runner.attempt import Attempt
from queuectl.runner.judging import judge, record, refuse_late
from queuectl.runner.running import Runner, no_alarm

__all__ = ["Attempt", "Runner", "judge", "no_alarm", "record", "refuse_late"]
