"""Why does it not work? Checks of everything between a dispatch and a job that is done, each with what repairs it."""

from queuectl.doctor.examination import NAMES, examine
from queuectl.doctor.finding import Finding, Status

__all__ = ["NAMES", "Finding", "Status", "examine"]
