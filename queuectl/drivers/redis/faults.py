"""What Redis and its client complain about, as our own errors."""

from __future__ import annotations

import re
import ssl

from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as Late

from queuectl.errors import AccessDenied, ConfigurationError, DriverUnavailable, QueuectlError, StoreFull

CODE = re.compile(
    r"\b(OOM|MISCONF|BUSY|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOREPLICAS|NOAUTH|WRONGPASS|NOPERM"
    r"|UNBLOCKED|UNKILLABLE|NOSCRIPT|WRONGTYPE)\b"
)
CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (OutOfMemoryError, "OOM"),
    (ReadOnlyError, "READONLY"),
    (MasterDownError, "MASTERDOWN"),
    (ClusterDownError, "CLUSTERDOWN"),
    (TryAgainError, "TRYAGAIN"),
    (MovedError, "MOVED"),
    (AskError, "ASK"),
    (NoPermissionError, "NOPERM"),
    (AuthenticationError, "NOAUTH"),
)
"""redis-py cuts these codes off the message."""
REFUSED = ("NOPERM", "NOAUTH", "WRONGPASS")
FULL = ("OOM", "MISCONF")


def translate(error: Exception, place: str) -> QueuectlError:
    """The error of ours that says what *error*, raised or sent by the Redis at *place*, means."""
    text = str(error)
    code = code_of(error)
    if code in REFUSED:
        return AccessDenied(f"Redis at {place} refuses access: {text}")
    if code in FULL:
        return StoreFull(f"Redis at {place} takes no more writes: {text}")
    if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in text:
        return AccessDenied(f"The certificate of Redis at {place} is not to be trusted: {text}")
    if code == "WRONGTYPE":
        return ConfigurationError(f"A key of Redis at {place} is of another type than a queue's: {text}")
    if code or isinstance(error, (Unreachable, Late, OSError)):
        return DriverUnavailable(f"Redis at {place} cannot be reached: {text}")
    if "unknown command" in text.lower():
        return AccessDenied(f"Redis at {place} does not allow a command: {text}")
    return ConfigurationError(f"Redis at {place} refuses: {text}")


def code_of(error: Exception) -> str:
    """Redis's word for an error, e.g. `OOM`, also where a script passed it on; empty if it has none that we know."""
    for kind, code in CLASSES:
        if isinstance(error, kind):
            return code
    found = CODE.search(str(error))
    return found[1] if found else ""
