"""Every error of the house. The docstring is the default message; the class knows its exit code and what to do next."""

from __future__ import annotations

from typing import ClassVar


class QueuectlError(Exception):
    """Something went wrong."""

    exit_code: ClassVar[int] = 1
    hint: str | None = None

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        if hint is not None:
            self.hint = hint


class UsageError(QueuectlError):
    """The command was called with words that do not fit together."""

    exit_code = 2


class InvalidName(UsageError):
    """A queue name may have letters, digits and . _ : { } @ - only, at most 191 of them."""


class PayloadTooLarge(UsageError):
    """The payload is larger than the store is allowed to take."""


class ConfigurationError(QueuectlError):
    """The configuration is wrong."""

    exit_code = 78


class TableMissing(ConfigurationError):
    """A table of the queue, or a column of it, is missing."""

    hint = "Run `queuectl migrate`."


class AccessDenied(ConfigurationError):
    """The server refuses these credentials or rights."""


class DuplicateJob(ConfigurationError):
    """Two jobs have the same registered name."""


class JobDefinitionError(TypeError):
    """A job class is written in a way that cannot work."""


class DriverUnavailable(QueuectlError):
    """The queue's server cannot be reached."""

    exit_code = 69
    hint = "Is it running? `queuectl doctor` tests the connection."


class StoreFull(QueuectlError):
    """The store has no room left."""


class CannotJoin(UsageError):
    """No job can be made part of this transaction."""


class LeaseGone(QueuectlError):
    """The job is no longer this worker's: another one has it, or has had it. Nothing may be committed."""


class DataRefused(QueuectlError):
    """The store refuses this text as data."""


class MalformedPayload(QueuectlError):
    """The payload is not what a queue carries."""


class InvalidArguments(QueuectlError):
    """The arguments do not fit the job's fields."""

    reasons: tuple[str, ...] = ()
    """What is wrong, without the values that it is about: for counting."""


class PathRefused(QueuectlError):
    """This path is not one that a disk accepts."""


class PictureRefused(QueuectlError):
    """This file is not a picture that can be worked on."""


class UnknownJob(QueuectlError):
    """No job is registered under this name."""

    hint = "`jobs` in conf/queue.toml names the modules whose jobs are registered."


class NotBound(QueuectlError):
    """No queue configuration is bound, and none could be found."""


class NotRunning(QueuectlError):
    """This has a meaning only while a job runs."""


class NestedTooDeeply(QueuectlError):
    """Jobs that run at once dispatch each other too deeply."""


class JobFailed(QueuectlError):
    """A job ended in failure."""


class ManuallyFailed(JobFailed):
    """The job failed itself."""


class AttemptsExceeded(JobFailed):
    """The job has been attempted too many times."""


class WorkerDied(JobFailed):
    """The process that ran the job died."""


class TimedOut(JobFailed):
    """The job ran longer than its timeout."""


class JobCancelled(JobFailed):
    """Somebody asked the job to end while it ran. A job may raise it itself, once it has seen `self.cancelled`."""


class TransactionLeftOpen(JobFailed):
    """The job ended without committing the transaction that was to complete it; it has been rolled back."""


class JobTimeout(BaseException):
    """Raised inside a job that reaches its timeout.

    Not an `Exception`, so that a job's own `except Exception` does not swallow its time limit.
    """
