"""Laravel's queues for Python: one job definition for every store, artisan's verbs, and nothing lost.

from queuectl import Job            # the base class of jobs
from queuectl import job            # the decorator that makes functions jobs
from queuectl import current_job    # inside such a function: what `self` is to a class
from queuectl import transaction    # a block that commits, and then pushes what was to follow
from queuectl import ProcessImageJob, SendNotificationJob, SendsNotifications, NotificationService
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from queuectl.jobs import runtime as _runtime

if TYPE_CHECKING:
    from queuectl.errors import (
        AttemptsExceeded,
        ConfigurationError,
        DriverUnavailable,
        InvalidArguments,
        JobCancelled,
        JobDefinitionError,
        JobFailed,
        JobTimeout,
        ManuallyFailed,
        PayloadTooLarge,
        QueuectlError,
        TimedOut,
        UnknownJob,
        UsageError,
        WorkerDied,
    )
    from queuectl.jobs.definition import Job
    from queuectl.jobs.function import FunctionJob, job
    from queuectl.jobs.pending import Pending
    from queuectl.jobs.process_image import ProcessImageJob
    from queuectl.jobs.running import current_job
    from queuectl.jobs.runtime import NotificationService
    from queuectl.jobs.send_notification import SendNotificationJob
    from queuectl.notifications.mixin import SendsNotifications
    from queuectl.transactions import transaction

__all__ = [
    "AttemptsExceeded",
    "ConfigurationError",
    "DriverUnavailable",
    "FunctionJob",
    "InvalidArguments",
    "Job",
    "JobCancelled",
    "JobDefinitionError",
    "JobFailed",
    "JobTimeout",
    "ManuallyFailed",
    "NotificationService",
    "PayloadTooLarge",
    "Pending",
    "ProcessImageJob",
    "QueuectlError",
    "SendNotificationJob",
    "SendsNotifications",
    "TimedOut",
    "UnknownJob",
    "UsageError",
    "WorkerDied",
    "__version__",
    "current_job",
    "job",
    "transaction",
]

__version__ = "0.1.0"
"""The distribution's as well; written here, because to ask what is installed takes as long as the parser."""

_HOMES = {
    "FunctionJob": "queuectl.jobs.function",
    "Job": "queuectl.jobs.definition",
    "Pending": "queuectl.jobs.pending",
    "ProcessImageJob": "queuectl.jobs.process_image",
    "NotificationService": "queuectl.jobs.runtime",
    "SendNotificationJob": "queuectl.jobs.send_notification",
    "SendsNotifications": "queuectl.notifications.mixin",
    "current_job": "queuectl.jobs.running",
    "job": "queuectl.jobs.function",
    "transaction": "queuectl.transactions",
}
"""Where the names are that are not errors; imported when they are first asked for, so that the commands start fast."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES.get(name, "queuectl.errors")), name)
    globals()[name] = found
    return found


def _runtime_from_configuration() -> _runtime.Runtime:
    """For programs that dispatch without further ado: the configuration found from the working directory."""
    from queuectl.app import App

    return App.load().runtime


_runtime.bind_process(None, build=_runtime_from_configuration)
